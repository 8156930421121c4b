"""The life of an operation: its jobs are started, looked at, stopped and removed."""

import hashlib
import signal
import time
from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from karbor_backup_core import (
    BackendError,
    InvalidInput,
    Operation,
    Progress,
    ProgressState,
    Result,
    Transient,
    Verb,
)
from karbor_backup_process import JobState, JobStatus, ProcessJob, ProcessJobs
from karbor_backup_restic import _errors
from karbor_backup_restic._abilities import OUTPUT
from karbor_backup_restic._repository import Repository
from karbor_backup_restic._restore import Restore
from karbor_backup_restic._verb import WORKING, VerbWork

LOCK_RETRY: Final = 30.0
"""Seconds after which work is started again at the latest that found the repository locked."""

_FIRST_LOCK_RETRY: Final = 1.0
"""Seconds after which it is started again at the latest for the first time."""

_MAX_DOUBLINGS: Final = 30
"""With so many the limit is reached, and a larger power might not fit a number of seconds."""

_KILL_MARGIN: Final = 5.0
"""Seconds that a supervisor has to kill restic itself, and to note that it did."""


@attrs.frozen(kw_only=True)
class OperationWork:
    """The jobs of all operations on one repository.

    Attributes:
        jobs: their directories.
        repository: the repository.
        restore: the verb that has a second phase, in which no job runs.
        verbs: the work of the other verbs.
        restore_output: the same as ``restore``, of the output of a command.
        restore_into_command: the restore of such an output into a command.
        protect_output: the protect of the output of a command.
        stop_timeout: seconds after which a cancelled restic is killed.
    """

    jobs: ProcessJobs
    repository: Repository
    restore: Restore
    verbs: Mapping[Verb, VerbWork]
    restore_output: Restore
    restore_into_command: VerbWork
    protect_output: VerbWork
    stop_timeout: float

    def execute(self, operation: Operation, own_paths: Sequence[str]) -> Progress:
        """Start the job of the phase unless that was done.

        Raises:
            InvalidInput: it cannot be done as asked.
            Transient: the repository cannot be reached now.
            BackendError: it cannot be done for good.
            OSError: a file cannot be read or written.
        """
        self.jobs.prepare()
        if operation.verb is Verb.RESTORE and operation.phase > WORKING:
            return self._restore(operation).place(operation, own_paths, self.jobs)
        return self._start(operation, own_paths)

    def read_progress(self, operation: Operation) -> Progress:
        """Return how an operation stands; its own fault is its own failure."""
        try:
            return self._read_progress(operation)
        except (OSError, BackendError, InvalidInput) as error:
            return Progress(ProgressState.FAILED, reason=str(error))

    def cancel(self, operation: Operation) -> bool:
        """Interrupt the jobs of an operation, and return whether one was running.

        Raises:
            InvalidInput: the operation's id cannot be read.
            OSError: the files of a job cannot be read.
        """
        asked = [job.stop(signal.SIGINT) for job in self.jobs.jobs_of(operation.id)]
        return any(asked)

    def release(self, operation: Operation) -> Progress:
        """Remove the jobs of an operation, and what it made if it has not succeeded.

        Raises:
            Transient: the repository cannot be reached or is locked now.
            BackendError: something cannot be removed.
            InvalidInput: the operation's id or password cannot be read.
            OSError: a file cannot be removed.
        """
        try:
            return self._release(operation)
        except _errors.RepositoryLocked as error:
            raise Transient(f"waits for the repository: {error}") from error

    def _release(self, operation: Operation) -> Progress:
        work, jobs = self._work(operation), self.jobs.jobs_of(operation.id)
        statuses = [job.read_status() for job in jobs]
        if any(status.state is JobState.RUNNING for status in statuses):
            return Progress(ProgressState.RUNNING)
        if work.takes_lock and any(_may_leave_lock(status) for status in statuses):
            self.repository.locks.remove_dead()
        succeeded = operation.outcome and operation.outcome.result is Result.SUCCEEDED
        leftovers = work.finish(operation, jobs) if succeeded else work.revert(operation, jobs)
        for job in jobs:
            job.remove()
        return Progress(ProgressState.SUCCEEDED, leftovers=tuple(leftovers))

    def _start(self, operation: Operation, own_paths: Sequence[str]) -> Progress:
        work, job = self._work(operation), self.jobs.job(operation.id, operation.phase)
        started = Progress(ProgressState.RUNNING)
        with job.claim() as claim:
            if claim is None:
                return started
            if operation.phase > WORKING:
                # The phase before found the repository locked, perhaps by a process that is gone.
                self.repository.locks.remove_dead()
            prepared = work.prepare(operation, own_paths, job)
            if isinstance(prepared, Progress):
                return prepared
            claim.start(prepared, stop_signal=signal.SIGINT, stop_timeout=self.stop_timeout)
        # Those of the phases before have ended: they found the repository locked.
        for earlier in self.jobs.jobs_of(operation.id):
            if earlier != job:
                earlier.remove()
        return started

    def _read_progress(self, operation: Operation) -> Progress:
        jobs = self.jobs.jobs_of(operation.id)
        for job in jobs:
            # For one whose supervisor is gone: nobody else would see to it that it stops.
            job.kill_overdue(self.stop_timeout + _KILL_MARGIN)
        if operation.outcome is not None:
            running = any(job.read_status().state is JobState.RUNNING for job in jobs)
            return Progress(ProgressState.RUNNING if running else ProgressState.READY)
        if operation.verb is Verb.RESTORE and operation.phase > WORKING:
            return self._restore(operation).read_placed(operation, self.jobs)
        return self._read_job(operation, self.jobs.job(operation.id, operation.phase))

    def _read_job(self, operation: Operation, job: ProcessJob) -> Progress:
        status, work = job.read_status(), self._work(operation)
        match status.state:
            case JobState.NONE:
                return Progress(ProgressState.UNKNOWN)
            case JobState.RUNNING if status.queued:
                return Progress(ProgressState.QUEUED, reason=self._queue_reason())
            case JobState.RUNNING:
                return work.read_running(operation, job)
            case _ if status.succeeded:
                return work.read_success(operation, job, status)
            case _ if operation.cancel_requested or operation.cancel_sent:
                return Progress(ProgressState.CANCELLED)
        errors = job.read_lines(status.last_command, "err")
        exit_status = status.exit_statuses[-1] if status.exit_statuses else None
        if (
            work.takes_lock
            and status.state is JobState.ENDED
            and _errors.is_locked(errors, exit_status)
        ):
            return _wait_for_lock(operation, status, _errors.lock_text(errors))
        reason = work.failure_reason(operation, job, status)
        return Progress(ProgressState.FAILED, reason=reason)

    def _queue_reason(self) -> str:
        return (
            f"{self.jobs.work_limit} run at once in {self.jobs.directory} (work_limit), and others "
            "came before"
        )

    def _work(self, operation: Operation) -> VerbWork:
        if operation.resource.type == OUTPUT:
            if operation.verb is Verb.PROTECT:
                return self.protect_output
            if operation.options.get("into_command"):
                return self.restore_into_command
        if operation.verb is Verb.RESTORE:
            return self._restore(operation)
        return self.verbs[operation.verb]

    def _restore(self, operation: Operation) -> Restore:
        return self.restore_output if operation.resource.type == OUTPUT else self.restore


def _wait_for_lock(operation: Operation, status: JobStatus, reason: str) -> Progress:
    """Return that work waits for the repository, and after a while that it can be started again."""
    waited = time.time() - (status.ended_at or 0)
    if 0 <= waited < _lock_delay(operation):
        return Progress(ProgressState.QUEUED, reason=f"waits for the repository: {reason}")
    return Progress(ProgressState.READY)


def _lock_delay(operation: Operation) -> float:
    """Return the seconds after which work is started again; the longest doubles each time.

    Deletes that begin together keep each other from their locks, so each has a delay of its own:
    one that every poll computes alike, whichever process makes it.
    """
    doublings = min(operation.phase - WORKING, _MAX_DOUBLINGS)
    longest = min(_FIRST_LOCK_RETRY * 2.0**doublings, LOCK_RETRY)
    drawn = hashlib.sha256(f"{operation.id} {operation.phase}".encode()).digest()
    return longest * (0.5 + drawn[0] / 512)


def _may_leave_lock(status: JobStatus) -> bool:
    """Return whether a job may have left a lock in the repository.

    An interrupted restic removes its lock, but not if it was about to make it.
    """
    return status.state is not JobState.NONE and not status.succeeded
