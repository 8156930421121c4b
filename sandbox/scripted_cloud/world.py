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

EVERYBODY: Final = ""
"""The project of what all projects see."""


@attrs.define(eq=False)
class Thing:
    """One resource.

    Attributes:
        id: its id.
        project: the id of the project that it belongs to, or `EVERYBODY`.
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


class Collection:
    """All things of one kind, in the order in which they were made.

    Args:
        kind: the word for one of them in messages.
    """

    def __init__(self, kind: str) -> None:
        self._kind = kind
        self._things: dict[str, Thing] = {}

    def add(
        self,
        project: str,
        shown: Mapping[str, Any],
        *,
        identifier: str | None = None,
        content: bytes = b"",
    ) -> Thing:
        """Make a thing; a random id is given unless there is one."""
        identifier = identifier or str(uuid.uuid4())
        thing = Thing(identifier, project, {"id": identifier, **shown}, content)
        self._things[identifier] = thing
        return thing

    def get(self, identifier: str, project: str | None = None) -> Thing:
        """Return a thing by its id.

        Args:
            identifier: its id.
            project: who asks; None for one who sees all.

        Raises:
            NotFound: there is none, or it is another project's.
        """
        thing = self._things.get(identifier)
        if thing is None or not _is_seen(thing, project):
            raise NotFound(f"{self._kind} {identifier} could not be found.")
        return thing

    def seen_by(self, project: str | None) -> list[Thing]:
        """Return all that a project sees; all that there are for None."""
        return [thing for thing in self if _is_seen(thing, project)]

    def named(self, name: str) -> list[Thing]:
        """Return all of that name."""
        return [thing for thing in self if thing.name == name]

    def remove(self, thing: Thing) -> None:
        """Remove a thing; one that is gone stays gone."""
        self._things.pop(thing.id, None)

    def __iter__(self) -> Iterator[Thing]:
        return iter(list(self._things.values()))

    def __contains__(self, identifier: str) -> bool:
        return identifier in self._things


class World:
    """All that there is. Whoever looks or changes something holds the lock.

    Args:
        now: what time it is, in seconds since 1970.
        seconds: how long the making, changing or removing of something takes.

    Attributes:
        is_stuck: whether Cinder fails to delete snapshots, so that they stay in error.
    """

    def __init__(self, now: Callable[[], float] = time.time, seconds: float = 0) -> None:
        self.lock = threading.RLock()
        self.now = now
        self.seconds = seconds
        self.is_stuck = False
        self.types = Collection("Volume type")
        self.volumes = Collection("Volume")
        self.snapshots = Collection("Snapshot")
        self.backups = Collection("Backup")
        self.images = Collection("Image")
        self.flavors = Collection("Flavor")
        self.keypairs = Collection("Keypair")
        self.servers = Collection("Instance")
        self.networks = Collection("Network")
        self.subnets = Collection("Subnet")
        self.groups = Collection("Security group")
        self.ports = Collection("Port")
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

    def stamp(self) -> str:
        """Return the time as OpenStack writes it."""
        now = dt.datetime.fromtimestamp(self.now(), dt.UTC)
        return now.strftime("%Y-%m-%dT%H:%M:%S.000000")

    def after_work(self, do: Callable[[], object]) -> None:
        """Let something happen when the work that is begun now is done."""
        self._due.append((self.now() + self.seconds, do))

    def becomes(self, thing: Thing, status: str, **more: Any) -> None:
        """Let a thing have another status, and more, when the work that is begun now is done."""

        def change() -> None:
            thing.shown.update(status=status, updated_at=self.stamp(), **more)

        self.after_work(change)

    @contextlib.contextmanager
    def at_once(self) -> Iterator[None]:
        """Let what is begun in the block be done at its end."""
        seconds, self.seconds = self.seconds, 0
        try:
            yield
        finally:
            self.seconds = seconds
        self.settle()

    def settle(self) -> None:
        """Let all happen that is due."""
        now = self.now()
        while due := [each for each in self._due if each[0] <= now]:
            for each in due:
                self._due.remove(each)
                each[1]()


def _is_seen(thing: Thing, project: str | None) -> bool:
    return project is None or thing.project in (project, EVERYBODY)
