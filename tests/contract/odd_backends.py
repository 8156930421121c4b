"""Backends and harnesses that are unusual, and right."""

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import attrs

from karbor_backup_contract import Inventory
from karbor_backup_core import (
    BackendInfo,
    Json,
    ManualClock,
    Operation,
    Progress,
    ProgressState,
    Resource,
    Unsupported,
    Verb,
    hookimpl,
)
from karbor_backup_fake import FakeBackend, FakeCloud, _serialization
from karbor_backup_fake._model import Job, Task

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


class KeepsFileOpen(FakeBackend):
    """Keeps a file open while it begins work, and refers to itself."""

    @hookimpl
    def protect(self, operation: Operation) -> Progress:
        self._held = self, Path(os.devnull).open("rb")  # noqa: SIM115 - closed below
        progress = super().protect(operation)
        self._held[1].close()
        return progress


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


class WorksAtOnce(FakeBackend):
    """Has done its work when the verb returns, so that nothing is ever polled for."""

    def __init__(self, configuration: Json, **extra: Any) -> None:
        super().__init__({**configuration, "service_seconds": 0}, **extra)


class TakesManyPhases(FakeBackend):
    """Takes several phases for each verb, of another number for each."""

    def __init__(self, configuration: Json, **extra: Any) -> None:
        phases = {Verb.PROTECT: 4, Verb.RESTORE: 3, Verb.DELETE: 2, Verb.VERIFY: 3}
        super().__init__({**configuration, "phases": phases}, **extra)


class WorksOneAtATime(FakeBackend):
    """Works on one operation for minutes, while all others wait for longer than a deadline."""

    def __init__(self, configuration: Json, **extra: Any) -> None:
        super().__init__({**configuration, "service_seconds": 150, "work_limit": 1}, **extra)


class IgnoresCancels(FakeBackend):
    """Belongs to a service that stops nothing: what was cancelled is removed at its end."""

    def __init__(self, configuration: Json, **extra: Any) -> None:
        super().__init__(configuration, **extra)
        self._cloud.heeds_cancel = False


class KeepsLongReceipts(FakeBackend):
    """Notes as much in a receipt as it may, in values of every kind, and shows it again."""

    _NOTES: Final = {"text": "\u2603" * 15_000, "values": [None, 0.1, -1, True, {"": [[]]}]}

    def _start_phase(self, operation: Operation) -> Progress:
        progress = super()._start_phase(operation)
        return attrs.evolve(progress, receipt={**(progress.receipt or {}), "notes": self._NOTES})


class ReturnsToFreeIds(FakeBackend):
    """Restores a resource that is gone under its own id, and any other beside it."""

    def _build_task(self, cloud: FakeCloud, operation: Operation) -> Task:
        task = super()._build_task(cloud, operation)
        free = operation.resource.id not in cloud.inventory.assets
        return attrs.evolve(task, in_place=free or task.in_place)


class TellsLittle(FakeBackend):
    """Says neither how far its work is, nor what it has restored, nor how members ended."""

    def _job_progress(self, operation: Operation, job: Job) -> Progress:
        progress = super()._job_progress(operation, job)
        return attrs.evolve(progress, done=None, total=None, unit="", parts=(), resources=())

    @hookimpl
    def release(self, operation: Operation) -> Progress:
        if operation.outcome is not None:
            made = tuple(find_restored(self._cloud, operation))
            outcome = attrs.evolve(operation.outcome, resources=made)
            operation = attrs.evolve(operation, outcome=outcome)
        return super().release(operation)


def find_restored(cloud: FakeCloud, operation: Operation) -> Iterator[Resource]:
    """Yield what an operation has restored, the whole first."""
    for identifier in cloud.inventory.ids_made_by(operation.id):
        if identifier in cloud.inventory.assets:
            yield cloud.inventory.assets[identifier].resource


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
