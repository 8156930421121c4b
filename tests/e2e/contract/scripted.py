"""The Freezer backend's bench: a real Keystone and Freezer API, a scripted scheduler and cloud.

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

from karbor_backup_core import Json, ManualClock, Resource, Secret, Verb
from karbor_backup_core.contract import Bench, Fault, Holdings
from karbor_backup_freezer import FreezerBackend
from karbor_backup_freezer.bench import held, in_place
from karbor_backup_freezer.client import FreezerClient
from karbor_backup_freezer.config import Configuration
from karbor_backup_freezer.connection import Connection
from karbor_backup_freezer.resources import DIRECTORY, KINDS, PROJECT, SERVER
from sandbox import Sandbox, faults
from sandbox.accounts import write_secret
from sandbox.faultproxy import FaultProxy
from sandbox.scripted_agent import ScriptedAgent
from sandbox.scripted_cloud import ScriptedCloud, World, login
from sandbox.scripted_scheduler import (
    FAILS,
    FAILS_HALFWAY,
    IS_DEAF,
    WAITS,
    Fate,
    ScriptedScheduler,
)
from tests.e2e.contract.staging import RESTORED, Staged

TIMEOUT: Final = 20.0
LONG: Final = 300.0
"""Seconds that stubborn work takes: more than a grace."""

WORK: Final = 1.0
"""Seconds that the cloud takes for whatever it is asked to do."""

SECRET: Final = "canary-52f1c09e6d"  # noqa: S105 - it is planted to be searched for


@attrs.define
class TurnedClock(ManualClock):
    """A clock that tells when it is turned.

    Attributes:
        turned: is called after each turn.
    """

    turned: Callable[[], object] = attrs.field(default=lambda: None)

    def advance(self, seconds: float) -> None:
        """Turn it forward by that many seconds, and tell."""
        super().advance(seconds)
        self.turned()

    def seconds(self) -> float:
        """Answer what it shows as seconds since 1970."""
        return self.now.timestamp()


@attrs.frozen
class Stage:
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
    def up(cls, sandbox: Sandbox) -> Iterator[Self]:
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
class Place:
    """One rule's place in the sandbox.

    Attributes:
        stage: the sandbox and the scripted cloud.
        folder: for what is protected.
        storage: the name of the storage that is protected to.
        servers_boot_from_volumes: whether they do.
        name: of its scheduler and of its top container.
    """

    stage: Stage
    folder: Path
    storage: str
    servers_boot_from_volumes: bool = False
    name: str = attrs.field(factory=lambda: f"contract-{uuid.uuid4().hex}")

    @property
    def store(self) -> Path:
        """The folder that holds the containers of every storage."""
        return self.folder / "store"

    def configuration(self, endpoint: str) -> dict[str, Any]:
        """The backend's configuration."""
        return {
            "cloud": "demo",
            "endpoint": endpoint,
            "timeout": TIMEOUT,
            "container": self.name,
            "scheduler": self.name,
            "storage": self.storage,
            "storages": {
                "disk": {"kind": "local", "path": str(self.store)},
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
        """The options of an operation."""
        options: dict[str, Any] = {}
        if verb is Verb.PROTECT and self.storage == "far":
            # A real agent does not restore from ftp, and a scripted one does.
            options["allow_unrestorable"] = True
        if verb is Verb.PROTECT and resource.type == SERVER:
            options["include_volumes"] = True
        if verb is Verb.RESTORE and resource.type == PROJECT:
            options["restore_name"] = RESTORED
        if resource.type == DIRECTORY:
            options.update(in_place(verb, resource))
        return options

    def files(self) -> Iterator[str]:
        """All that is stored; empty folders stay, as they do with a real agent."""
        return (str(path) for path in self.store.rglob("*") if not path.is_dir())


@attrs.frozen
class Sessions:
    """Sessions with Keystone that share their tokens, and no connection.

    Attributes:
        stage: whose Keystone and cloud.
        first: the session, by cloud, that got the token.
    """

    stage: Stage
    first: dict[str, Session] = attrs.field(factory=dict)

    def new(self, cloud: str = "demo") -> Session:
        """A session as a new process has it, but for its token: one takes a third of a second."""
        if cloud not in self.first:
            sandbox = self.stage.sandbox
            account = sandbox.accounts[cloud]
            self.first[cloud] = login.session(sandbox.auth_url, account, self.stage.endpoints)
        connections = requests.Session()
        connections.trust_env = False
        return Session(auth=self.first[cloud].auth, session=connections)


@contextlib.contextmanager
def scripted_bench(
    place: Place, sessions: Sessions, *, fresh_login: bool = False
) -> Iterator[Bench]:
    """Give a bench, with a scheduler and a proxy that spoils requests; clean up behind it.

    Args:
        place: where.
        sessions: the tokens that are there already.
        fresh_login: whether backends log in by ``clouds.yaml``, each anew.
    """
    session = sessions.new()
    freezer = Client(session=session, endpoint=place.stage.sandbox.freezer_url)
    clock = TurnedClock()
    world = place.stage.cloud.renew(clock.seconds, WORK)
    place.stage.proxy.clear()
    project = str(session.get_project_id())
    agent = ScriptedAgent(place.store, socket.gethostname(), world, project)
    scheduler = ScriptedScheduler(
        freezer,
        agent,
        client_id=place.name,
        now=clock.seconds,
        seconds=1,
    )
    clock.turned = scheduler.cycle
    direct = Configuration.read(place.configuration(place.stage.sandbox.freezer_url))
    client = FreezerClient(Connection(direct, sessions.new()), TIMEOUT)
    resources = Staged(
        place.folder / "directories", world, project, place.servers_boot_from_volumes
    )
    resources.folder.mkdir()

    def holdings() -> Holdings:
        kept = held(client, place.name)
        return attrs.evolve(kept, data={*kept.data, *resources.present(), *place.files()})

    holdings()  # opens the bench's own connection, which is not the backend's to close
    with FaultProxy(place.stage.sandbox.freezer_url) as proxy, scheduler:
        configuration = place.configuration(proxy.url)

        def backend(cloud: str = "demo") -> FreezerBackend:
            session = None if fresh_login else sessions.new(cloud)
            return FreezerBackend({**configuration, "cloud": cloud}, session=session)

        yield Bench(
            backend=backend,
            resources=resources,
            kinds=(DIRECTORY, *sorted(set(KINDS) - {DIRECTORY})),
            holdings=holdings,
            clock=clock,
            options=place.options,
            faults=_faults(proxy, place.stage.proxy, scheduler, world),
            unfired=lambda: [*proxy.unfired(), *scheduler.unfired()],
            elsewhere=lambda: backend("other"),
            secrets=(SECRET, place.stage.sandbox.accounts["demo"].password),
            compound=(PROJECT,),
            phased=(Verb.PROTECT, Verb.RESTORE, Verb.DELETE),
            fenced=True,
        )
        _clean(client, place.name)


def _faults(
    freezer: FaultProxy, cloud: FaultProxy, scheduler: ScriptedScheduler, world: World
) -> Mapping[Fault, Callable[[], object]]:
    def fate(planned: Fate) -> Callable[[], object]:
        return lambda: scheduler.plan(planned)

    def first_request(code: int) -> Callable[[], object]:
        return lambda: cloud.share(freezer.plan(faults.status(code)))

    def stuck() -> None:
        # Freezer removes only what was finished, but for volumes, and Cinder can fail to.
        scheduler.plan(FAILS_HALFWAY)
        world.is_stuck = True

    return {
        Fault.BUSY: first_request(503),
        Fault.REFUSE: first_request(403),
        Fault.LOSE_REPLY: lambda: freezer.plan(faults.lost_reply(), method="POST", path="/jobs$"),
        Fault.FAIL: fate(FAILS),
        Fault.STUCK: stuck,
        Fault.STALL: fate(WAITS),
        Fault.DEAF: fate(IS_DEAF),
        Fault.STUBBORN: fate(Fate(seconds=LONG, heeds_stop=False)),
    }


def _clean(client: FreezerClient, container: str) -> None:
    """Remove what a rule has left in Freezer; the files go with their folder."""
    kept = held(client, container)
    for entry in (*kept.bookkeeping, *kept.data):
        collection, _, identifier = entry.partition("/")
        client.delete(collection, identifier)
