"""Backends that lose sight of their own work."""

import contextlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import attrs

from karbor_backup_core import (
    BackendError,
    Operation,
    Progress,
    ProgressState,
    Transient,
    Verb,
    hookimpl,
)
from karbor_backup_fake import FakeBackend, FakeCloud, _serialization
from karbor_backup_fake._model import Job, Task
from karbor_backup_fake._phases import build_task, phase_kinds
from tests.contract.mutants.registry import breaks


@breaks("C-401", also={"C-233", "C-402", "C-404", "C-410", "C-414"})
class StartsWithoutLookup(FakeBackend):
    """Begins work without looking whether an earlier attempt has begun it."""

    def _start_phase(self, operation: Operation) -> Progress:
        return super()._start_phase(attrs.evolve(operation, attempt=1))


@breaks("C-402", also={"C-410"})
class LostReplyAsFinalError(FakeBackend):
    """Calls it final when a reply is lost."""

    @contextlib.contextmanager
    def _connect(self) -> Iterator[FakeCloud]:
        try:
            with super()._connect() as cloud:
                yield cloud
        except Transient as error:
            if "connection broke" in str(error):
                raise BackendError(str(error)) from error
            raise


@breaks("C-403", also={"C-113", "C-232", "C-405", "C-409", "C-422", "C-604", "C-707"})
class KeepsWorkInMemory(FakeBackend):
    """Knows only the work that it has begun itself."""

    FORGETFUL_VERBS: ClassVar[frozenset[Verb]] = frozenset(Verb)

    def __init__(self, configuration: Any, **extra: Any) -> None:
        super().__init__(configuration, **extra)
        self._begun: set[str] = set()

    def _start_phase(self, operation: Operation) -> Progress:
        self._begun.add(operation.id)
        return super()._start_phase(operation)

    @hookimpl
    def poll(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        strange = [
            each.id
            for each in operations
            if each.verb in self.FORGETFUL_VERBS and each.id not in self._begun
        ]
        unknown = Progress(ProgressState.UNKNOWN)
        return {**super().poll(operations), **dict.fromkeys(strange, unknown)}


@breaks("C-404")
class LooksUpFirstPhaseOnly(FakeBackend):
    """Looks for its own work in the first phase only."""

    def _start_phase(self, operation: Operation) -> Progress:
        attempt = operation.attempt if operation.phase == 1 else 1
        return super()._start_phase(attrs.evolve(operation, attempt=attempt))


@breaks("C-405")
class KeepsPhasesInMemory(FakeBackend):
    """Knows what its phases have made only while it lives."""

    def __init__(self, configuration: Any, **extra: Any) -> None:
        super().__init__(configuration, **extra)
        self._jobs: dict[str, str] = {}

    def _start_phase(self, operation: Operation) -> Progress:
        progress = super()._start_phase(operation)
        if progress.receipt is not None:
            self._jobs[operation.id] = _serialization.read_job_id(progress.receipt)
        return progress

    def _build_task(self, _cloud: FakeCloud, operation: Operation) -> Task:
        step = phase_kinds(operation, self._phases)[operation.phase - 1]
        return build_task(operation, step, self._jobs.get(operation.id, ""), vault=self._vault)


@breaks("C-406")
class FindsWorkByResource(FakeBackend):
    """Takes the work of any operation on the same resource for its own."""

    def _start_phase(self, operation: Operation) -> Progress:
        if operation.attempt > 1 and operation.backup is None:
            for job in self._cloud.jobs():
                if job.task.resource == operation.resource and job.phase == operation.phase:
                    return attrs.evolve(
                        self._job_progress(operation, job),
                        receipt=_serialization.make_receipt(job.id),
                    )
        return super()._start_phase(operation)


@breaks("C-407", also={"C-408"})
class IgnoresFence(FakeBackend):
    """Gives every call the same fencing number, so that none is a late one."""

    def _start_phase(self, operation: Operation) -> Progress:
        return super()._start_phase(attrs.evolve(operation, fence=0))

    @hookimpl
    def cancel(self, operation: Operation) -> bool:
        return super().cancel(attrs.evolve(operation, fence=0))

    @hookimpl
    def release(self, operation: Operation) -> Progress:
        return super().release(attrs.evolve(operation, fence=0))


@breaks("C-408")
class LateProtectRecreatesData(FakeBackend):
    """Does without the fencing number for a late protect of which nothing is left."""

    def _start_phase(self, operation: Operation) -> Progress:
        try:
            return super()._start_phase(operation)
        except BackendError as error:
            late = operation.verb is Verb.PROTECT and "comes late" in str(error)
            if not late or self._cloud.remaining_ids(operation.id):
                raise
        task = self._build_task(self._cloud, operation)
        job = self._cloud.create_job(operation.id, operation.phase, task)
        return attrs.evolve(
            self._job_progress(operation, job), receipt=_serialization.make_receipt(job.id)
        )


class NotesSurroundings(FakeBackend):
    """Fails when its work is looked at from elsewhere."""

    _noted: dict[str, object] = {}  # noqa: RUF012 - as a file would be there

    def _surroundings(self) -> object:
        raise NotImplementedError

    def _start_phase(self, operation: Operation) -> Progress:
        self._noted[operation.id] = self._surroundings()
        return super()._start_phase(operation)

    @hookimpl
    def poll(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        now = self._surroundings()
        elsewhere = {x.id for x in operations if self._noted.get(x.id, now) != now}
        failed = Progress(ProgressState.FAILED, reason="its notes are not there")
        return {
            id_: failed if id_ in elsewhere else progress
            for id_, progress in super().poll(operations).items()
        }


@breaks("C-409")
class NotesInWorkingDirectory(NotesSurroundings):
    """Notes its work in a file of the working directory."""

    def _surroundings(self) -> object:
        return Path.cwd()


@breaks("C-409")
class NotesLocalTime(NotesSurroundings):
    """Notes by the local time's difference from UTC when its work was begun."""

    def _surroundings(self) -> object:
        return time.localtime().tm_gmtoff


@breaks("C-409")
class NotesUnreadably(NotesSurroundings):
    """Notes its work with the rights that the process gives."""

    def _surroundings(self) -> object:
        mask = os.umask(0o022)
        os.umask(mask)
        return mask


@breaks("C-414")
class LooksAtTodaysWork(FakeBackend):
    """Looks for what it has begun among today's work only."""

    def _start_phase(self, operation: Operation) -> Progress:
        if operation.attempt > 1:
            with self._connect() as cloud:
                today = cloud.clock().date()
                begun = cloud.find_jobs(operation.id, operation.fence)
            if not any(job.started_at.date() == today for job in begun):
                return super()._start_phase(attrs.evolve(operation, attempt=1))
        return super()._start_phase(operation)


@breaks("C-415")
class ShortensIds(FakeBackend):
    """Knows its work by the first eight characters of an operation's id."""

    def _start_phase(self, operation: Operation) -> Progress:
        if operation.attempt > 1:
            for job in self._find_jobs(operation):
                if job.phase == operation.phase:
                    receipt = _serialization.make_receipt(job.id)
                    return attrs.evolve(self._job_progress(operation, job), receipt=receipt)
        return super()._start_phase(operation)

    def _poll_operation(
        self, cloud: FakeCloud, operation: Operation, listed: Sequence[Job]
    ) -> Progress:
        del listed
        return super()._poll_operation(cloud, operation, self._find_jobs(operation))

    def _find_jobs(self, operation: Operation) -> list[Job]:
        with self._connect() as cloud:
            jobs = cloud.jobs()
        return [
            attrs.evolve(job, operation=operation.id)
            for job in jobs
            if job.operation[:8] == operation.id[:8]
        ]
