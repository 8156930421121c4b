"""What there is in the scripted cloud, whichever of its services shows it."""

import contextlib
import datetime as dt
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import attrs
from werkzeug.exceptions import NotFound

ZONE: Final = "nova"
"""The only availability zone."""

SHARED: Final = ""
"""The project of what all projects see."""


@attrs.define(eq=False)
class FakeResource:
    """One resource.

    Attributes:
        id: its id.
        project: the id of the project that it belongs to, or `SHARED`.
        shown: its document, as its service shows it.
        content: what is written on it, without the zeros to its end, where it holds data.
    """

    id: str
    project: str
    shown: dict[str, Any]
    content: bytes = b""

    @property
    def name(self) -> str:
        """Its name, which may be empty."""
        return self.shown.get("name") or ""


class ResourceCollection:
    """All things of one kind, in the order in which they were made.

    Args:
        kind: the word for one of them in messages.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._resources: dict[str, FakeResource] = {}

    def add(
        self,
        project: str,
        shown: Mapping[str, Any],
        *,
        identifier: str | None = None,
        content: bytes = b"",
    ) -> FakeResource:
        """Make a thing; a random id is given unless there is one."""
        identifier = identifier or str(uuid.uuid4())
        thing = FakeResource(identifier, project, {"id": identifier, **shown}, content)
        self._resources[identifier] = thing
        return thing

    def get(self, identifier: str, project: str | None = None) -> FakeResource:
        """Return a thing by its id.

        Args:
            identifier: its id.
            project: who asks; None for one who sees all.

        Raises:
            NotFound: there is none, or it is another project's.
        """
        thing = self._resources.get(identifier)
        if thing is None or not _is_visible(thing, project):
            raise NotFound(f"{self._kind} {identifier} could not be found.")
        return thing

    def visible_to(self, project: str | None) -> list[FakeResource]:
        """Return all that a project sees; all that there are for None."""
        return [thing for thing in self if _is_visible(thing, project)]

    def find_by_name(self, name: str) -> list[FakeResource]:
        """Return all of that name."""
        return [thing for thing in self if thing.name == name]

    def remove(self, thing: FakeResource) -> None:
        """Remove a thing; one that is gone stays gone."""
        self._resources.pop(thing.id, None)

    def __iter__(self) -> Iterator[FakeResource]:
        return iter(list(self._resources.values()))

    def __contains__(self, identifier: str) -> bool:
        return identifier in self._resources


@attrs.frozen
class WorkOutcome:
    """What becomes of work that Cinder is asked for.

    Attributes:
        fails: whether it fails at its end.
        seconds: how long it takes; None for what is usual.
    """

    fails: bool = False
    seconds: float | None = None


class CloudState:
    """All that there is. Whoever looks or changes something holds the lock.

    Args:
        now: what time it is, in seconds since 1970.
        seconds: how long the making, changing or removing of something takes.

    Attributes:
        snapshot_deletes_fail: whether Cinder fails to delete snapshots.
        backup_deletes_fail: whether Cinder fails to delete its backups.
        planned_work: what becomes of the next work that Cinder is asked for, in turn.
    """

    def __init__(self, now: Callable[[], float] = time.time, seconds: float = 0) -> None:
        self.lock = threading.RLock()
        self.now = now
        self.seconds = seconds
        self.snapshot_deletes_fail = False
        self.backup_deletes_fail = False
        self.planned_work: list[WorkOutcome] = []
        self.types = ResourceCollection("Volume type")
        self.volumes = ResourceCollection("Volume")
        self.snapshots = ResourceCollection("Snapshot")
        self.backups = ResourceCollection("Backup")
        self.images = ResourceCollection("Image")
        self.flavors = ResourceCollection("Flavor")
        self.keypairs = ResourceCollection("Keypair")
        self.servers = ResourceCollection("Instance")
        self.networks = ResourceCollection("Network")
        self.subnets = ResourceCollection("Subnet")
        self.groups = ResourceCollection("Security group")
        self.ports = ResourceCollection("Port")
        self._due: list[tuple[float, Callable[[], object]]] = []

    @property
    def inventory(self) -> list[str]:
        """What there is that a project can have made, as KIND/ID."""
        kinds = {
            "volume": self.volumes,
            "snapshot": self.snapshots,
            "volume backup": self.backups,
            "image": self.images,
            "server": self.servers,
            "port": self.ports,
        }
        with self.lock:
            return [f"{kind}/{thing.id}" for kind, things in kinds.items() for thing in things]

    def timestamp(self) -> str:
        """Return the time as OpenStack writes it."""
        now = dt.datetime.fromtimestamp(self.now(), dt.UTC)
        return now.strftime("%Y-%m-%dT%H:%M:%S.000000")

    def schedule(self, do: Callable[[], object]) -> None:
        """Let something happen when the work that is begun now is done."""
        self._due.append((self.now() + self.seconds, do))

    def schedule_status(self, thing: FakeResource, status: str, **more: Any) -> None:
        """Let a thing have another status, and more, when the work that is begun now is done."""

        def change() -> None:
            thing.shown.update(status=status, updated_at=self.timestamp(), **more)

        self.schedule(change)

    @contextlib.contextmanager
    def next_work(self) -> Iterator[WorkOutcome]:
        """Take what is planned for the work that is begun in the block."""
        planned = self.planned_work.pop(0) if self.planned_work else WorkOutcome()
        seconds = self.seconds
        if planned.seconds is not None:
            self.seconds = planned.seconds
        try:
            yield planned
        finally:
            self.seconds = seconds

    @contextlib.contextmanager
    def without_delay(self) -> Iterator[None]:
        """Let what is begun in the block be done at its end."""
        seconds, self.seconds = self.seconds, 0
        try:
            yield
        finally:
            self.seconds = seconds
        self.run_due()

    def run_due(self) -> None:
        """Let all happen that is due."""
        now = self.now()
        while due := [each for each in self._due if each[0] <= now]:
            for each in due:
                self._due.remove(each)
                each[1]()


def _is_visible(thing: FakeResource, project: str | None) -> bool:
    return project is None or thing.project in (project, SHARED)
