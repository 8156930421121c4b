"""The Freezer backend's bench on a real Keystone and Freezer API, with a scripted scheduler.

Its time is the rules': each turn of the clock is one look of the scheduler's. Every rule has a
scheduler and a top container of its own, so that what a rule leaves is in no other's way.
"""

import contextlib
import socket
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import attrs
import requests
from freezerclient.v2.client import Client
from keystoneauth1.session import Session

from karbor_backup_core import Json, ManualClock, Operation, Resource, Secret, Verb
from karbor_backup_core.contract import Bench, Fault, Holdings
from karbor_backup_freezer import FreezerBackend
from karbor_backup_freezer.bench import Directories, held, in_place
from karbor_backup_freezer.client import FreezerClient
from karbor_backup_freezer.config import Configuration
from karbor_backup_freezer.connection import Connection
from karbor_backup_freezer.identifiers import job_id
from karbor_backup_freezer.resources import DIRECTORY, KINDS
from sandbox import Sandbox, faults
from sandbox.faultproxy import FaultProxy
from sandbox.scripted_agent import ScriptedAgent
from sandbox.scripted_scheduler import (
    FAILS,
    FAILS_HALFWAY,
    IS_DEAF,
    WAITS,
    Fate,
    ScriptedScheduler,
)

TIMEOUT: Final = 20.0
LONG: Final = 300.0
"""Seconds that stubborn work takes: more than a grace."""

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
class Trees(Directories):
    """Directories, and directories that stand for cloud resources.

    Attributes:
        cloud: the folder of the latter, as the scripted agent knows it.
    """

    cloud: Path

    def new_id(self, kind: str) -> str:
        return super().new_id(kind) if kind == DIRECTORY else uuid.uuid4().hex

    def path(self, resource: Resource) -> Path:
        if resource.type == DIRECTORY:
            return super().path(resource)
        return self.cloud / KINDS[resource.type].id_field / resource.id

    def present(self) -> Iterator[str]:
        yield from super().present()
        yield from (str(path) for path in self.cloud.glob("*/*"))


@attrs.frozen
class Place:
    """One rule's place in the sandbox.

    Attributes:
        sandbox: the real Keystone and Freezer API.
        folder: for what is protected.
        storage: the name of the storage that is protected to.
        name: of its scheduler and of its top container.
    """

    sandbox: Sandbox
    folder: Path
    storage: str
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
        if verb is Verb.PROTECT and self.storage == "far":
            # A real agent does not restore from ftp, and a scripted one does.
            return {"allow_unrestorable": True}
        return in_place(verb, resource) if resource.type == DIRECTORY else {}

    def files(self) -> Iterator[str]:
        """All that is stored; empty folders stay, as they do with a real agent."""
        return (str(path) for path in self.store.rglob("*") if not path.is_dir())


@attrs.frozen
class Sessions:
    """Sessions with Keystone that share their tokens, and no connection.

    Attributes:
        sandbox: whose Keystone.
        first: the session, by cloud, that got the token.
    """

    sandbox: Sandbox
    first: dict[str, Session] = attrs.field(factory=dict)

    def new(self, cloud: str = "demo") -> Session:
        """A session as a new process has it, but for its token: one takes a third of a second."""
        if cloud not in self.first:
            self.first[cloud] = self.sandbox.session(cloud)
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
    agent = ScriptedAgent(place.store, place.folder / "cloud", socket.gethostname())
    freezer = Client(session=sessions.new(), endpoint=place.sandbox.freezer_url)
    clock = TurnedClock()
    scheduler = ScriptedScheduler(
        freezer,
        agent,
        client_id=place.name,
        now=clock.seconds,
        seconds=1,
    )
    clock.turned = scheduler.cycle
    direct = Configuration.read(place.configuration(place.sandbox.freezer_url))
    client = FreezerClient(Connection(direct, sessions.new()), TIMEOUT)
    trees = Trees(place.folder / "directories", agent.cloud)
    trees.folder.mkdir()

    def holdings() -> Holdings:
        kept = held(client, place.name)
        return attrs.evolve(kept, data={*kept.data, *trees.present(), *place.files()})

    holdings()  # opens the bench's own connection, which is not the backend's to close
    with FaultProxy(place.sandbox.freezer_url) as proxy, scheduler:
        configuration = place.configuration(proxy.url)

        def backend(cloud: str = "demo") -> FreezerBackend:
            session = None if fresh_login else sessions.new(cloud)
            return FreezerBackend({**configuration, "cloud": cloud}, session=session)

        yield Bench(
            backend=backend,
            resources=trees,
            kinds=(DIRECTORY, *sorted(set(KINDS) - {DIRECTORY})),
            holdings=holdings,
            clock=clock,
            options=place.options,
            find=lambda operation: _restored(scheduler, operation),
            faults=_faults(proxy, scheduler),
            unfired=lambda: [*proxy.unfired(), *scheduler.unfired()],
            elsewhere=lambda: backend("other"),
            secrets=(SECRET, place.sandbox.accounts["demo"].password),
            phased=(Verb.DELETE,),
        )
        _clean(client, place.name)


def _restored(scheduler: ScriptedScheduler, operation: Operation) -> Resource:
    """The resource that a restore made: Freezer does not tell, its agent knows."""
    path = scheduler.restored[job_id(operation.id)]
    return Resource(operation.resource.type, path.name, operation.resource.name)


def _faults(
    proxy: FaultProxy, scheduler: ScriptedScheduler
) -> Mapping[Fault, Callable[[], object]]:
    def fate(planned: Fate) -> Callable[[], object]:
        return lambda: scheduler.plan(planned)

    return {
        Fault.BUSY: lambda: proxy.plan(faults.status(503)),
        Fault.REFUSE: lambda: proxy.plan(faults.status(403)),
        Fault.LOSE_REPLY: lambda: proxy.plan(faults.lost_reply(), method="POST", path="/jobs$"),
        Fault.FAIL: fate(FAILS),
        # Freezer removes only what was finished.
        Fault.STUCK: fate(FAILS_HALFWAY),
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
