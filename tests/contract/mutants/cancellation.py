"""Backends that are deaf to cancels and deadlines, or overdo them."""

from collections.abc import Mapping, Sequence

import attrs

from karbor_backup_core import (
    BackendError,
    Operation,
    Progress,
    ProgressState,
    Result,
    State,
    Verb,
    hookimpl,
)
from karbor_backup_fake import FakeBackend, _serialization
from karbor_backup_fake._model import JobState
from tests.contract.mutants.failures import delete_jobs, result_of
from tests.contract.mutants.registry import breaks


@breaks("C-701", also={"C-408", "C-703"})
class ReportsUnstartedAsRunning(FakeBackend):
    """Says of work that was cancelled before it began that it runs."""

    @hookimpl
    def poll(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        answers = dict(super().poll(operations))
        for operation in operations:
            unknown = answers[operation.id].state is ProgressState.UNKNOWN
            if unknown and operation.cancel_requested and operation.state is State.SUBMITTING:
                answers[operation.id] = Progress(ProgressState.RUNNING)
        return answers


@breaks(
    "C-702", also={"C-410", "C-413", "C-508", "C-509", "C-609", "C-610", "C-612", "C-706", "C-805"}
)
class IgnoresRestoreCancel(FakeBackend):
    """Says that it cancels restores, and does not."""

    @hookimpl
    def cancel(self, operation: Operation) -> bool:
        return operation.verb is Verb.RESTORE or super().cancel(operation)


@breaks("C-703", also={"C-247", "C-408", "C-410", "C-413", "C-610", "C-702", "C-705"})
class KeepsCancelledData(FakeBackend):
    """Leaves what a cancelled operation has made."""

    @hookimpl
    def release(self, operation: Operation) -> Progress:
        if result_of(operation) is not Result.CANCELLED:
            return super().release(operation)
        delete_jobs(self._cloud, operation)
        return Progress(ProgressState.SUCCEEDED)


@breaks("C-704")
class CancelRaisesWhenNotRunning(FakeBackend):
    """Raises when there is nothing to cancel."""

    @hookimpl
    def cancel(self, operation: Operation) -> bool:
        if not super().cancel(operation):
            raise BackendError("nothing runs")
        return True


@breaks("C-704")
class LateCancelDeletesBackup(FakeBackend):
    """Removes a backup when it is cancelled after its end."""

    @hookimpl
    def cancel(self, operation: Operation) -> bool:
        if operation.verb is Verb.PROTECT and not self._cloud.jobs(operation.id):
            for each in self._cloud.inventory.ids_made_by(operation.id):
                self._cloud.inventory.remove_tree(each)
        return super().cancel(operation)


@breaks("C-705", also={"C-703"})
class KeepsDataFinishedAfterCancel(FakeBackend):
    """Leaves what a cancelled operation has made if it was finished."""

    @hookimpl
    def release(self, operation: Operation) -> Progress:
        jobs = self._cloud.jobs(operation.id)
        done = [job for job in jobs if job.state is JobState.DONE and job.phase > 0]
        if result_of(operation) is not Result.CANCELLED or not done:
            return super().release(operation)
        delete_jobs(self._cloud, operation)
        return Progress(ProgressState.SUCCEEDED)


@breaks("C-706")
class IgnoresDeadline(FakeBackend):
    """Cancels only what somebody has asked to cancel."""

    @hookimpl
    def cancel(self, operation: Operation) -> bool:
        return operation.cancel_requested and super().cancel(operation)


@breaks("C-707")
class OrphansRunningWork(FakeBackend):
    """Forgets the jobs of work that it could not stop."""

    @hookimpl
    def poll(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        answers = dict(super().poll(operations))
        for operation in operations:
            if operation.cancel_sent and self._is_orphaned(operation):
                answers[operation.id] = Progress(ProgressState.READY)
        return answers

    @hookimpl
    def release(self, operation: Operation) -> Progress:
        if operation.cancel_sent and self._is_orphaned(operation):
            delete_jobs(self._cloud, operation)
            return Progress(ProgressState.SUCCEEDED)
        return super().release(operation)

    def _is_orphaned(self, operation: Operation) -> bool:
        jobs = self._cloud.jobs(operation.id)
        running = any(job.state is JobState.RUNNING and job.phase for job in jobs)
        return running and result_of(operation) is Result.FAILED


@breaks("C-702")
class CancelledDeleteEmptiesMembers(FakeBackend):
    """Has emptied the copies of the members when a delete is cancelled."""

    @hookimpl
    def cancel(self, operation: Operation) -> bool:
        if operation.verb is Verb.DELETE and operation.backup is not None:
            copies = self._cloud.inventory.copies
            whole = copies.get(_serialization.read_copy_id(operation.backup.handle))
            for member in whole.members if whole else ():
                copies[member] = attrs.evolve(copies[member], content=b"")
        return super().cancel(operation)


@breaks("C-708")
class CancelsByResource(FakeBackend):
    """Cancels all that goes on with the resource of an operation."""

    @hookimpl
    def cancel(self, operation: Operation) -> bool:
        with self._connect() as cloud:
            running = [job for job in cloud.list_jobs() if job.state is JobState.RUNNING]
            same = [job for job in running if job.task.resource == operation.resource]
            for job in same:
                cloud.cancel_job(job)
        return super().cancel(operation) or bool(same)
