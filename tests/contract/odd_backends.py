"""Backends and harnesses that are unusual, and right."""

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import attrs

from karbor_backup_contract import Inventory
from karbor_backup_core import (
    BackendInfo,
    ManualClock,
    Operation,
    Progress,
    ProgressState,
    Unsupported,
    Verb,
    hookimpl,
)
from karbor_backup_fake import FakeBackend, FakeCloud, _serialization
from karbor_backup_fake._model import Job

_LAG: Final = timedelta(seconds=5)


class ReleasesSlowly(FakeBackend):
    """Says for some seconds that it still releases, while a poll says that all has ended."""

    _last_look: dict[str, Any] = {}  # noqa: RUF012 - as a service would remember

    @hookimpl
    def release(self, operation: Operation) -> Progress:
        now = self._cloud.clock()
        last = self._last_look.setdefault(operation.id, now)
        if now - last < _LAG:
            return Progress(ProgressState.RUNNING)
        self._last_look[operation.id] = now
        return super().release(operation)


class TagsLate(ReleasesSlowly):
    """Finds its jobs by their ids at once, and by their operation some seconds later.

    So a release lets these seconds pass before each look at what is left.
    """

    def __init__(self, configuration: Any, **extra: Any) -> None:
        super().__init__(configuration, **extra)
        self._asked = threading.local()

    @hookimpl
    def protect(self, operation: Operation) -> Progress:
        with self._known_by([operation]):
            return super().protect(operation)

    @hookimpl
    def restore(self, operation: Operation) -> Progress:
        with self._known_by([operation]):
            return super().restore(operation)

    @hookimpl
    def delete(self, operation: Operation) -> Progress:
        with self._known_by([operation]):
            return super().delete(operation)

    @hookimpl
    def verify(self, operation: Operation) -> Progress:
        with self._known_by([operation]):
            return super().verify(operation)

    @hookimpl
    def poll(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        with self._known_by(operations):
            return super().poll(operations)

    @hookimpl
    def cancel(self, operation: Operation) -> bool:
        with self._known_by([operation]):
            return super().cancel(operation)

    @hookimpl
    def release(self, operation: Operation) -> Progress:
        with self._known_by([operation]):
            return super().release(operation)

    @contextlib.contextmanager
    def _known_by(self, operations: Sequence[Operation]) -> Iterator[None]:
        self._asked.ids = set()
        for operation in operations:
            with contextlib.suppress(Exception):
                self._asked.ids.add(_serialization.read_job_id(operation.receipt))
        yield

    @contextlib.contextmanager
    def _connect(self) -> Iterator[FakeCloud]:
        with super()._connect() as cloud:
            lagging: Any = LateTagCloud(cloud, getattr(self._asked, "ids", set()))
            yield lagging


@attrs.frozen
class LateTagCloud:
    """A cloud whose search by operation lags.

    Attributes:
        cloud: the cloud.
        known: ids of jobs that are asked for by id.
    """

    cloud: FakeCloud
    known: set[str]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cloud, name)

    def find_jobs(self, operation: str, fence: int | None = None) -> list[Job]:
        """Return the jobs of an operation that are known, or old enough to be found."""
        return self._visible(self.cloud.find_jobs(operation, fence))

    def list_jobs(self) -> list[Job]:
        """Return the jobs that are known, or old enough to be listed."""
        return self._visible(self.cloud.list_jobs())

    def _visible(self, jobs: list[Job]) -> list[Job]:
        shown = self.cloud.clock() - _LAG
        return [job for job in jobs if job.id in self.known or job.started_at <= shown]


class WritesOnce(FakeBackend):
    """Cannot delete: what was written stays."""

    @hookimpl
    def delete(self, operation: Operation) -> Progress:
        raise Unsupported(f"{operation.resource.type} is written once")

    @hookimpl
    def describe(self) -> BackendInfo:
        info = super().describe()
        kept = {
            kind: {verb: ability for verb, ability in abilities.items() if verb is not Verb.DELETE}
            for kind, abilities in info.abilities.items()
        }
        return attrs.evolve(info, abilities=kept)


@attrs.define
class LaggingInventory:
    """A list of what there is in a service as it was some seconds ago.

    Attributes:
        clock: the service's.
        history: what there was, and since when.
    """

    clock: ManualClock
    history: list[tuple[Any, Inventory]] = attrs.field(factory=list)

    def note(self, present: Inventory) -> None:
        """Note what there is now."""
        self.history.append((self.clock(), present))

    def __call__(self) -> Inventory:
        """Return what there was."""
        shown = self.clock() - _LAG
        old_enough = [present for since, present in self.history if since <= shown]
        return old_enough[-1] if old_enough else self.history[0][1]
