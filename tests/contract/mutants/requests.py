"""Backends that get along with a fault of a hook's first request, and not of a later one."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

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
from karbor_backup_fake import FakeBackend, FakeCloud
from karbor_backup_fake._abilities import ABILITIES
from karbor_backup_fake._model import CloudError, Job, JobState, Unavailable
from tests.contract.mutants.registry import breaks


class AsksTwice(FakeBackend):
    """Makes a second request in each hook that begins or looks at work."""

    def _start_phase(self, operation: Operation) -> Progress:
        progress = super()._start_phase(operation)
        self._ask_again(operation)
        return progress

    @hookimpl
    def poll(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        answers = super().poll(operations)
        for operation in operations:
            self._ask_again(operation)
        return answers

    def _ask_again(self, operation: Operation) -> None:
        with self._connect() as cloud:
            cloud.find_jobs(operation.id)


@breaks("C-610", also={"C-410"})
class SecondBusyIsFinal(AsksTwice):
    """Calls it final when the request after the one that began work is refused for now."""

    def _ask_again(self, operation: Operation) -> None:
        try:
            super()._ask_again(operation)
        except Transient as error:
            raise BackendError(str(error)) from error


@breaks("C-610", also={"C-410"})
class BusyPollIsFailure(AsksTwice):
    """Says of a delete that it failed when it cannot look at its work a second time."""

    @hookimpl
    def poll(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        answers = dict(FakeBackend.poll(self, operations))
        for operation in operations:
            try:
                self._ask_again(operation)
            except Transient as error:
                if operation.verb is not Verb.DELETE:
                    raise
                answers[operation.id] = Progress(ProgressState.FAILED, reason=str(error))
        return answers


@attrs.frozen
class SilentCloud:
    """A cloud that lists nothing where it is too busy to list.

    Attributes:
        cloud: the cloud.
    """

    cloud: FakeCloud

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cloud, name)

    def list_made(self, operation: str) -> list[str]:
        """Return what an operation made, or nothing."""
        with contextlib.suppress(Unavailable):
            return self.cloud.list_made(operation)
        return []


@breaks("C-610", also={"C-410"})
class SkipsBusyRemoval(FakeBackend):
    """Takes for nothing what a busy cloud does not list, and forgets the jobs."""

    @contextlib.contextmanager
    def _connect(self) -> Iterator[FakeCloud]:
        with super()._connect() as cloud:
            patched: Any = SilentCloud(cloud)
            yield patched


@breaks("C-610")
class CancelIgnoresBusy(FakeBackend):
    """Says that work is cancelled although the cloud was too busy to be told."""

    @hookimpl
    def cancel(self, operation: Operation) -> bool:
        with self._connect() as cloud:
            jobs = cloud.find_jobs(operation.id, operation.fence)
            running = [job for job in jobs if job.state is JobState.RUNNING]
            for job in running:
                with contextlib.suppress(CloudError):
                    cloud.cancel_job(job, operation.fence)
        return bool(running)


@breaks("C-410", also={"C-606", "C-607"})
class FindsRemainsByJobs(FakeBackend):
    """Forgets the jobs of what was cancelled first, and finds what they made by them only."""

    @hookimpl
    def release(self, operation: Operation) -> Progress:
        if operation.work_succeeded:
            return super().release(operation)
        with self._connect() as cloud:
            jobs = cloud.find_jobs(operation.id, operation.fence)
            if any(job.state is JobState.RUNNING for job in jobs):
                return Progress(ProgressState.RUNNING)
            for job in jobs:
                cloud.delete_job(job, operation.fence)
            for made in (made for job in jobs for made in job.made):
                cloud.inventory.remove_tree(made)
        return Progress(ProgressState.SUCCEEDED)


class NotesAfterwards(AsksTwice):
    """Begins work anew unless it has noted that it was begun, which it does at last."""

    _noted: set[tuple[str, int]] = set()  # noqa: RUF012 - as a file would

    def _start_phase(self, operation: Operation) -> Progress:
        noted = (operation.id, operation.phase) in self._noted
        known = operation.resource.type in ABILITIES
        if noted or not known or operation.verb not in self.verbs:
            return super()._start_phase(operation)
        with self._connect() as cloud:
            self._check_ownership(cloud, operation)
            task = self._build_task(cloud, operation)
            job = cloud.create_job(operation.id, operation.phase, task, operation.fence)
            cloud.find_jobs(operation.id)
            self._noted.add((operation.id, operation.phase))
        return self._job_progress(operation, job)

    verbs: frozenset[Verb] = frozenset(Verb)


@breaks("C-410", also={"C-402", "C-610"})
class StartsTwiceAfterSecondBusy(NotesAfterwards):
    """Begins protects and deletes anew when the request after the first one failed."""

    verbs = frozenset({Verb.PROTECT, Verb.DELETE})


@breaks("C-410", also={"C-402", "C-610"})
class RestoresTwiceAfterSecondBusy(NotesAfterwards):
    """Begins restores and verifies anew when the request after the first one failed."""

    verbs = frozenset({Verb.RESTORE, Verb.VERIFY})


class LocksWhileStarting(AsksTwice):
    """Holds a lock of the cloud while it begins work, and keeps it when it is refused for good."""

    verbs: frozenset[Verb] = frozenset()

    def _start_phase(self, operation: Operation) -> Progress:
        if operation.verb not in self.verbs:
            return super()._start_phase(operation)
        progress = FakeBackend._start_phase(self, operation)
        lock = f"lock of {operation.id}"
        job = attrs.evolve(self._cloud.jobs(operation.id)[0], id=lock, operation="lock")
        self._cloud._jobs[lock] = attrs.evolve(job, state=JobState.DONE)
        try:
            self._ask_again(operation)
        except Transient:
            del self._cloud._jobs[lock]
            raise
        del self._cloud._jobs[lock]
        return progress


@breaks("C-611")
class RefusedProtectKeepsLock(LocksWhileStarting):
    """Keeps its lock when the second request of a protect or a delete is refused for good."""

    verbs = frozenset({Verb.PROTECT, Verb.DELETE})


@breaks("C-611")
class RefusedRestoreKeepsLock(LocksWhileStarting):
    """Keeps its lock when the second request of a restore or a verify is refused for good."""

    verbs = frozenset({Verb.RESTORE, Verb.VERIFY})


@breaks("C-611")
class RefusedPollIsSuccess(AsksTwice):
    """Takes work for done of which it is told, in the second request, that it is none of its."""

    def _ask_again(self, operation: Operation) -> None:
        self._refused = getattr(self, "_refused", set())
        try:
            super()._ask_again(operation)
        except Transient:
            raise
        except BackendError:
            self._refused.add(operation.id)

    def _job_progress(self, operation: Operation, job: Job) -> Progress:
        if operation.id in getattr(self, "_refused", ()):
            job = attrs.evolve(job, state=JobState.DONE, restored=())
        return super()._job_progress(operation, job)


@breaks("C-611")
class RepeatsSecondRefusal(AsksTwice):
    """Has the second request of a verb repeated that was refused for good."""

    def _start_phase(self, operation: Operation) -> Progress:
        progress = FakeBackend._start_phase(self, operation)
        try:
            self._ask_again(operation)
        except BackendError as error:
            raise Transient(str(error)) from error
        return progress
