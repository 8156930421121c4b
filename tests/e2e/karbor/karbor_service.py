"""A running Karbor, as its users reach it."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import requests

from sandbox.environments import Environment
from sandbox.ports import HOST, free_port
from tests.support.bound_processes import end_with_parent

PROJECT = "0123456789abcdef0123456789abcdef"
TIMEOUT = 150.0

_CONF = """\
[DEFAULT]
host = {folder.name}
state_path = {folder}
auth_strategy = noauth
api_paste_config = {environment}/etc/karbor/api-paste.ini
osapi_karbor_listen = {host}
osapi_karbor_listen_port = {port}
osapi_karbor_workers = 1
provider_config_dir = {folder}/providers.d
transport_url = {transport}
periodic_interval = 0
[database]
connection = {database}
[oslo_concurrency]
lock_path = {folder}/lock
[oslo_messaging_notifications]
driver = noop
[trustee]
auth_type = password
auth_url = http://{host}:1/v3
username = karbor
password = unused
user_domain_id = default
[keystone_authtoken]
auth_url = http://{host}:1/v3
[clients_keystone]
auth_uri = http://{host}:1
{more}
"""


@attrs.define
class KarborService:
    """Karbor's three daemons in one process, on a port of their own, with no broker.

    Attributes:
        environment: what Karbor is installed in.
        folder: its configuration, database, bank and log.
        environ: further environment variables of the process.
        more: further lines of its configuration.
        project: the id of the project that it is used in.
        token: of who uses it; by default of an administrator, without Keystone.
        timeout: seconds after which an operation is no longer believed to end.
        shared: the folder of its database and bank, which several may have in common; its own
            folder by default.
        database: SQLAlchemy's URL of its database; by default a file in the shared folder, which
            serves one process.
        transport: the URL of its message queue; by default there is none, within one process.
        port: where its API listens, on loopback.
    """

    environment: Environment
    folder: Path
    environ: Mapping[str, str]
    more: str = ""
    project: str = PROJECT
    token: str = attrs.field(default=f"admin:{PROJECT}", repr=False)
    timeout: float = TIMEOUT
    shared: Path = attrs.field(default=attrs.Factory(lambda self: self.folder, takes_self=True))
    database: str = attrs.field(
        default=attrs.Factory(
            lambda self: f"sqlite:///{self.shared}/karbor.sqlite?timeout=60", takes_self=True
        ),
        repr=False,
    )
    transport: str = attrs.field(default="fake:/", repr=False)
    port: int = attrs.field(factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def conf(self) -> Path:
        """Karbor's configuration file."""
        return self.folder / "karbor.conf"

    @property
    def bank(self) -> Path:
        """The folder of the file-system banks."""
        return self.shared / "bank"

    @property
    def log(self) -> Path:
        """What the process writes."""
        return self.folder / "karbor.log"

    def add_provider(self, name: str, text: str) -> str:
        """Install a provider's file, its bank moved here; answer the provider's id."""
        providers = self.folder / "providers.d"
        providers.mkdir(exist_ok=True)
        text = text.replace("/var/lib/karbor/bank", str(self.bank))
        (providers / f"{name}.conf").write_text(text)
        (line,) = (each for each in text.splitlines() if each.startswith("id = "))
        return line.removeprefix("id = ")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        (self.folder / "lock").mkdir(exist_ok=True)
        self.conf.write_text(
            _CONF.format(
                folder=self.folder,
                database=self.database,
                environment=self.environment.path,
                host=HOST,
                port=self.port,
                more=self.more,
                transport=self.transport,
            )
        )
        script = Path(__file__).with_name("all_in_one.py")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                end_with_parent(
                    [self.environment.python, "-W", "ignore", script, "--config-file", self.conf]
                ),
                env={**os.environ, **self.environ},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(self._responds, "Karbor to answer")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """End the process.

        Raises:
            TimeoutExpired: it did not heed the signal; it has been killed.
        """
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        os.killpg(process.pid, how)
        try:
            process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Make a request of Karbor's API."""
        answer = requests.request(
            method,
            f"http://{HOST}:{self.port}/v1/{self.project}{path}",
            json=body,
            headers={"X-Auth-Token": self.token},
            timeout=TIMEOUT,
        )
        assert answer.ok, answer.text
        return answer.json() if answer.text else None

    def plan(
        self,
        provider: str,
        resources: Sequence[Mapping[str, Any]],
        parameters: Mapping[str, Any] | None = None,
    ) -> str:
        """Make a plan."""
        plan = {
            "name": "plan",
            "provider_id": provider,
            "resources": list(resources),
            "parameters": dict(parameters or {}),
        }
        return str(self.call("POST", "/plans", {"plan": plan})["plan"]["id"])

    def protect(self, provider: str, plan: str) -> str:
        """Begin a protect; answer the checkpoint's id."""
        answer = self.call(
            "POST", f"/providers/{provider}/checkpoints", {"checkpoint": {"plan_id": plan}}
        )
        return str(answer["checkpoint"]["id"])

    def status(self, provider: str, checkpoint: str) -> str:
        """Return a checkpoint's status."""
        answer = self.call("GET", f"/providers/{provider}/checkpoints/{checkpoint}")
        return str(answer["checkpoint"]["status"])

    def wait_until_settled(self, provider: str, checkpoint: str) -> str:
        """Wait until a checkpoint is not being worked on; answer its status."""
        busy = ("protecting", "deleting")
        wait_until(
            lambda: self.status(provider, checkpoint) not in busy,
            "the checkpoint's end",
            self.timeout,
        )
        return self.status(provider, checkpoint)

    def restore(
        self, provider: str, checkpoint: str, parameters: Mapping[str, Any] | None = None
    ) -> Any:
        """Restore a checkpoint; answer the record when it is over."""
        return self._wait_for_record(
            "restore", "restores", provider, checkpoint, {"parameters": dict(parameters or {})}
        )

    def verify(self, provider: str, checkpoint: str) -> Any:
        """Verify a checkpoint; answer the record when it is over."""
        return self._wait_for_record("verification", "verifications", provider, checkpoint, {})

    def delete(self, provider: str, checkpoint: str) -> str:
        """Delete a checkpoint; answer its status when that is over."""
        self.call("DELETE", f"/providers/{provider}/checkpoints/{checkpoint}")
        return self.wait_until_settled(provider, checkpoint)

    def recover(self, provider: str) -> subprocess.CompletedProcess[str]:
        """Run the operator's command."""
        command = ["karbor", "recover", provider, "--config-file", str(self.conf)]
        return subprocess.run(
            [self.environment.bin / "karbor-backup", *command],
            env={**os.environ, **self.environ, "PYTHONWARNINGS": "ignore"},
            capture_output=True,
            text=True,
            check=False,
        )

    def begin(self, kind: str, provider: str, checkpoint: str) -> str:
        """Begin to restore or verify a checkpoint; return the record's id."""
        return self._begin(kind, f"{kind}s", provider, checkpoint, {})

    def record(self, kind: str, record: str) -> Any:
        """Return the record of a restore or verification as it stands."""
        return self.call("GET", f"/{kind}s/{record}")[kind]

    def _begin(
        self, kind: str, kinds: str, provider: str, checkpoint: str, more: Mapping[str, Any]
    ) -> str:
        body = {"provider_id": provider, "checkpoint_id": checkpoint, "parameters": {}, **more}
        return str(self.call("POST", f"/{kinds}", {kind: body})[kind]["id"])

    def _wait_for_record(
        self, kind: str, kinds: str, provider: str, checkpoint: str, more: Mapping[str, Any]
    ) -> Any:
        record = self._begin(kind, kinds, provider, checkpoint, more)

        def look() -> Any:
            return self.call("GET", f"/{kinds}/{record}")[kind]

        wait_until(
            lambda: look()["status"] in ("success", "fail"), f"the {kind}'s end", self.timeout
        )
        return look()

    def _responds(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log.read_text()[-3000:]
        try:
            self.call("GET", "/providers")
        except (requests.ConnectionError, AssertionError):
            return False
        return True


def wait_until(is_so: Callable[[], bool], what: str, timeout: float = TIMEOUT) -> None:
    """Wait for something outside.

    Raises:
        TimeoutError: it took too long.
    """
    deadline = time.monotonic() + timeout
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout:g} seconds for {what}")
        time.sleep(0.2)
