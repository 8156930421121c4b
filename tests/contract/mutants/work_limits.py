"""Backends that declare a limit of work at once, and are wrong about what waits."""

import functools
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import attrs

from karbor_backup_contract import Harness
from karbor_backup_core import BackendInfo, Operation, Progress, ProgressState, hookimpl
from karbor_backup_fake import FakeBackend
from karbor_backup_fake._model import Job, JobState
from karbor_backup_fake.harness import create_harness
from tests.contract.mutants.registry import breaks

_LIMIT: Final = 2


def _limited_harness(make: Any) -> Harness:
    return create_harness(make, work_limit=_LIMIT)


_breaks_on_limit = functools.partial(breaks, harness=_limited_harness)


@_breaks_on_limit("C-510")
class ExceedsItsLimit(FakeBackend):
    """Declares a limit that the service does not have."""

    @hookimpl
    def describe(self) -> BackendInfo:
        self._cloud.work_limit = None
        return attrs.evolve(super().describe(), work_limit=_LIMIT)


@_breaks_on_limit("C-510")
class CallsQueuedWorkRunning(FakeBackend):
    """Says of work that waits that it goes on."""

    def _job_progress(self, operation: Operation, job: Job) -> Progress:
        progress = super()._job_progress(operation, job)
        queued = progress.state is ProgressState.QUEUED
        return attrs.evolve(progress, state=ProgressState.RUNNING) if queued else progress


@_breaks_on_limit("C-510", also={"C-501", "C-923"})
class CallsQueuedWorkUnknown(FakeBackend):
    """Finds only work that the service is at."""

    @hookimpl
    def poll(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        return {
            id_: Progress(ProgressState.UNKNOWN) if each.state is ProgressState.QUEUED else each
            for id_, each in super().poll(operations).items()
        }


@_breaks_on_limit("C-510", also={"C-501", "C-511", "C-923"})
class CallsQueuedWorkFailed(FakeBackend):
    """Takes for stuck what waits."""

    @hookimpl
    def poll(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        return {
            id_: Progress(ProgressState.FAILED, reason="nothing is done")
            if each.state is ProgressState.QUEUED
            else each
            for id_, each in super().poll(operations).items()
        }


@_breaks_on_limit("C-510", also={"C-415", "C-501", "C-923"})
class LosesQueuedWork(FakeBackend):
    """Belongs to a service that forgets what has waited for two seconds."""

    @hookimpl
    def poll(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        cloud = self._cloud
        forgotten = cloud.clock() - timedelta(seconds=2)
        for job in cloud.jobs():
            if job.state is JobState.QUEUED and job.started_at <= forgotten:
                cloud.delete_job(job)
        return super().poll(operations)


@_breaks_on_limit("C-510", also={"C-415", "C-501", "C-923"})
class NeverBeginsQueuedWork(FakeBackend):
    """Belongs to a service that begins nothing that had to wait."""

    def __init__(self, configuration: Any, **extra: Any) -> None:
        super().__init__(configuration, **extra)
        cloud: Any = self._cloud
        cloud._start_queued_jobs = lambda _at: None


@_breaks_on_limit("C-511")
class CancelsRunningWorkOnly(FakeBackend):
    """Asks only what runs to stop."""

    @hookimpl
    def cancel(self, operation: Operation) -> bool:
        jobs = self._cloud.jobs(operation.id)
        waits = any(job.state is JobState.QUEUED for job in jobs)
        return False if waits else super().cancel(operation)


@_breaks_on_limit("C-511")
class LeavesCancelledWorkQueued(FakeBackend):
    """Says of queued work that it is cancelled, and lets it take its turn."""

    @hookimpl
    def cancel(self, operation: Operation) -> bool:
        return any(job.state is JobState.QUEUED for job in self._cloud.jobs(operation.id)) or (
            super().cancel(operation)
        )

    @hookimpl
    def poll(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        answers = dict(super().poll(operations))
        for each in operations:
            queued = answers[each.id].state is ProgressState.QUEUED
            if queued and each.cancel_sent and each.outcome is None:
                answers[each.id] = Progress(ProgressState.CANCELLED, reason="it waited")
        return answers
