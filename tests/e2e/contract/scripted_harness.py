"""The Freezer backend's harness: a real Keystone and Freezer API, a scripted scheduler and cloud.

Its time is the rules': each turn of the clock is one look of the scheduler's. Every rule has a
scheduler, a top container and a cloud of its own, so that what a rule leaves is in no other's way.
"""

import contextlib
import socket
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Self

import attrs
import requests
from freezerclient.v2.client import Client
from keystoneauth1.session import Session

from karbor_backup_contract import Fault, Harness, Inventory, WithdrawFault
from karbor_backup_core import Json, ManualClock, Resource, Secret, Verb
from karbor_backup_freezer import FreezerBackend
from karbor_backup_freezer.api.client import FreezerClient
from karbor_backup_freezer.api.http_client import FreezerHttpClient
from karbor_backup_freezer.config import Configuration
from karbor_backup_freezer.harness import list_inventory, overwrite_options
from karbor_backup_freezer.model.resource_types import DIRECTORY, SUPPORTED_TYPES
from karbor_backup_openstack.connection import Connection
from karbor_backup_openstack.resource_types import PROJECT, SERVER
from sandbox import Sandbox
from sandbox.accounts import write_secret
from tests.e2e.contract.scripted_resources import RESTORED, ScriptedResources
from tests.support import http_faults
from tests.support.fault_proxy import FaultProxy
from tests.support.http_faults import FaultRule, HttpFault
from tests.support.scripted_agent import ScriptedAgent
from tests.support.scripted_cloud import CloudState, ScriptedCloud, keystone_login
from tests.support.scripted_scheduler import (
    FAILS,
    FAILS_HALFWAY,
    IGNORES_STOP,
    NEVER_STARTS,
    JobOutcome,
    ScriptedScheduler,
)

TIMEOUT: Final = 20.0
RULE_TIMEOUT: Final = 1500.0
"""Seconds for one rule: the longest drives dozens of lives, on machines that do other work too."""

LONG_SECONDS: Final = 300.0
"""Seconds that uncancellable work takes: more than a grace."""

WORK_SECONDS: Final = 1.0
"""Seconds that the cloud takes for whatever it is asked to do."""

SECRET: Final = "canary-52f1c09e6d"  # noqa: S105 - it is planted to be searched for


@attrs.define
class CallbackClock(ManualClock):
    """A clock that tells when it is turned.

    Attributes:
        turned: is called after each turn.
    """

    on_advance: Callable[[], object] = attrs.field(default=lambda: None)

    def advance(self, seconds: float) -> None:
        """Turn it forward by that many seconds, and tell."""
        super().advance(seconds)
        self.on_advance()

    def seconds(self) -> float:
        """Return what it shows as seconds since 1970."""
        return self.now.timestamp()


@attrs.frozen
class ScriptedEnvironment:
    """The scripted cloud of a whole run; each rule begins anew in it.

    Attributes:
        sandbox: the real Keystone and Freezer API.
        cloud: the cloud.
        proxy: what stands before it, for clients.
    """

    sandbox: Sandbox
    cloud: ScriptedCloud
    proxy: FaultProxy

    @classmethod
    @contextlib.contextmanager
    def start(cls, sandbox: Sandbox) -> Iterator[Self]:
        """Bring it up."""
        with ScriptedCloud(sandbox.auth_url) as cloud, FaultProxy(cloud.url) as proxy:
            yield cls(sandbox, cloud, proxy)

    @property
    def endpoints(self) -> dict[str, str]:
        """Where its services are, by their types."""
        return self.cloud.endpoints(self.proxy.url)

    def write_clouds_yaml(self, path: Path) -> None:
        """Write the sandbox's ``clouds.yaml`` with the way to this cloud."""
        text = self.sandbox.clouds_yaml.read_text()
        overrides = "".join(
            f'\n    {service.replace("-", "_")}_endpoint_override: "{url}"'
            for service, url in self.endpoints.items()
        )
        version = "\n    identity_api_version: 3"
        write_secret(path, text.replace(version, f"{version}{overrides}"))


@attrs.frozen
class RuleEnvironment:
    """One rule's place in the sandbox.

    Attributes:
        environment: the sandbox and the scripted cloud.
        folder: for what is protected.
        storage: the name of the storage that is protected to.
        servers_boot_from_volumes: whether they do.
        name: of its scheduler and of its top container.
    """

    environment: ScriptedEnvironment
    folder: Path
    storage: str
    servers_boot_from_volumes: bool = False
    name: str = attrs.field(factory=lambda: f"contract-{uuid.uuid4().hex}")

    @property
    def storage_folder(self) -> Path:
        """The folder that holds the containers of every storage."""
        return self.folder / "store"

    def configuration(self, endpoint: str) -> dict[str, Any]:
        """Return the backend's configuration."""
        return {
            "cloud": "demo",
            "endpoint": endpoint,
            "timeout": TIMEOUT,
            "container": self.name,
            "scheduler": self.name,
            "storage": self.storage,
            "storages": {
                "disk": {"kind": "local", "path": str(self.storage_folder)},
                "far": {
                    "kind": "ftp",
                    "host": "ftp.example.org",
                    "username": "freezer",
                    "password": Secret(SECRET),
                    "path": "/backups",
                },
            },
        }

    def options(self, verb: Verb, resource: Resource) -> Json:
        """Return the options of an operation."""
        options: dict[str, Any] = {}
        if verb is Verb.PROTECT and self.storage == "far":
            # A real agent does not restore from ftp, and a scripted one does.
            options["allow_unrestorable"] = True
        if verb is Verb.PROTECT and resource.type == SERVER:
            options["include_volumes"] = True
        if verb is Verb.RESTORE and resource.type == PROJECT:
            options["restore_name"] = RESTORED
        if resource.type == DIRECTORY:
            options.update(overwrite_options(verb, resource))
        return options

    def list_files(self) -> Iterator[str]:
        """All that is stored; empty folders stay, as they do with a real agent."""
        return (str(path) for path in self.storage_folder.rglob("*") if not path.is_dir())


@attrs.frozen
class SharedTokenSessions:
    """Sessions with Keystone that share their tokens, and no connection.

    Attributes:
        environment: whose Keystone and cloud.
        first: the session, by cloud, that got the token.
    """

    environment: ScriptedEnvironment
    first: dict[str, Session] = attrs.field(factory=dict)

    def new_session(self, cloud: str = "demo") -> Session:
        """Return a new process's session, with a token at once, which takes a third of a second."""
        if cloud not in self.first:
            sandbox = self.environment.sandbox
            account = sandbox.accounts[cloud]
            self.first[cloud] = keystone_login.open_session(
                sandbox.auth_url, account, self.environment.endpoints
            )
        connections = requests.Session()
        connections.trust_env = False
        return Session(auth=self.first[cloud].auth, session=connections)


@contextlib.contextmanager
def scripted_harness(
    place: RuleEnvironment, sessions: SharedTokenSessions, *, fresh_login: bool = False
) -> Iterator[Harness]:
    """Give a harness, with a scheduler and a proxy that spoils requests; clean up behind it.

    Args:
        place: where.
        sessions: the tokens that are there already.
        fresh_login: whether backends log in by ``clouds.yaml``, each anew.
    """
    session = sessions.new_session()
    freezer = Client(session=session, endpoint=place.environment.sandbox.freezer_url)
    clock = CallbackClock()
    state = place.environment.cloud.renew(clock.seconds, WORK_SECONDS)
    place.environment.proxy.clear()
    project = str(session.get_project_id())
    agent = ScriptedAgent(place.storage_folder, socket.gethostname(), state, project)
    scheduler = ScriptedScheduler(
        freezer,
        agent,
        client_id=place.name,
        now=clock.seconds,
        seconds=1,
    )
    clock.on_advance = scheduler.run_cycle
    direct = Configuration.from_document(place.configuration(place.environment.sandbox.freezer_url))
    client = FreezerHttpClient(Connection(direct, sessions.new_session()), TIMEOUT)
    resources = ScriptedResources(
        place.folder / "directories", state, project, place.servers_boot_from_volumes
    )
    resources.folder.mkdir()

    def inventory() -> Inventory:
        kept = list_inventory(client, place.name)
        return attrs.evolve(kept, data={*kept.data, *resources.list_present(), *place.list_files()})

    inventory()  # opens the harness's own connection, which is not the backend's to close
    with FaultProxy(place.environment.sandbox.freezer_url) as proxy, scheduler:
        configuration = place.configuration(proxy.url)

        def backend(cloud: str = "demo") -> FreezerBackend:
            session = None if fresh_login else sessions.new_session(cloud)
            return FreezerBackend({**configuration, "cloud": cloud}, session=session)

        yield Harness(
            create_backend=backend,
            resources=resources,
            resource_types=(DIRECTORY, *sorted(set(SUPPORTED_TYPES) - {DIRECTORY})),
            inventory=inventory,
            clock=clock,
            options=place.options,
            faults=_fault_actions(proxy, place.environment.proxy, scheduler, state),
            request_faults=request_faults(proxy, place.environment.proxy),
            pending_faults=lambda: [*proxy.unfired(), *scheduler.unfired()],
            create_backend_in_other_scope=lambda: backend("other"),
            secrets=(SECRET, place.environment.sandbox.accounts["demo"].password),
            compound_types=(PROJECT,),
            multi_phase_verbs=(Verb.PROTECT, Verb.RESTORE, Verb.DELETE),
            rejects_late_calls=True,
            rule_timeout=RULE_TIMEOUT,
        )
        _delete_entries(client, place.name)


def _fault_actions(
    freezer: FaultProxy, cloud: FaultProxy, scheduler: ScriptedScheduler, state: CloudState
) -> Mapping[Fault, Callable[[], object]]:
    def plan_outcome(planned: JobOutcome) -> Callable[[], object]:
        return lambda: scheduler.plan_outcome(planned)

    def first_request(code: int) -> Callable[[], object]:
        return lambda: cloud.add_rule(freezer.plan(http_faults.error_response(code)))

    def stuck() -> None:
        # Freezer removes only what was finished, but for volumes, and Cinder can fail to.
        scheduler.plan_outcome(FAILS_HALFWAY)
        state.snapshot_deletes_fail = True

    return {
        Fault.BUSY: first_request(503),
        Fault.REFUSE: first_request(403),
        Fault.LOSE_REPLY: lambda: freezer.plan(
            http_faults.lost_reply(), method="POST", path="/jobs$"
        ),
        Fault.FAIL: plan_outcome(FAILS),
        Fault.FAIL_CLEANUP: stuck,
        Fault.STALL: plan_outcome(NEVER_STARTS),
        Fault.IGNORES_CANCEL: plan_outcome(IGNORES_STOP),
        Fault.UNCANCELLABLE: plan_outcome(JobOutcome(seconds=LONG_SECONDS, heeds_stop=False)),
    }


def request_faults(*proxies: FaultProxy) -> Mapping[Fault, Callable[[int], WithdrawFault]]:
    """Return the harness's faults at a certain request; requests to all proxies count together."""

    def at(fault: HttpFault) -> Callable[[int], WithdrawFault]:
        def plan(number: int) -> WithdrawFault:
            planned = FaultRule(fault, at=number)
            for proxy in proxies:
                proxy.add_rule(planned)

            def withdraw() -> bool:
                for proxy in proxies:
                    proxy.remove_rule(planned)
                return planned.fired > 0

            return withdraw

        return plan

    return {
        Fault.BUSY: at(http_faults.error_response(503)),
        Fault.REFUSE: at(http_faults.error_response(403)),
        Fault.LOSE_REPLY: at(http_faults.lost_reply()),
    }


def _delete_entries(client: FreezerClient, container: str) -> None:
    """Remove what a rule has left in Freezer; the files go with their folder."""
    kept = list_inventory(client, container)
    for entry in (*kept.bookkeeping, *kept.data):
        collection, _, identifier = entry.partition("/")
        client.delete_entry(collection, identifier)
