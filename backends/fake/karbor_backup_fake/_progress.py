"""What a job of the cloud means for the operation that it works for."""

from collections.abc import Iterable

import attrs

from karbor_backup_core import Member, Operation, Progress, ProgressState, Verb
from karbor_backup_fake import _serialization
from karbor_backup_fake._model import Job, JobState

_UNSUCCESSFUL_STATES = {
    JobState.FAILED: ProgressState.FAILED,
    JobState.CANCELLED: ProgressState.CANCELLED,
}


def find_job(operation: Operation, jobs: Iterable[Job], phase: int) -> Job | None:
    """Pick the job of one phase: the one in the receipt, or else the oldest."""
    noted = _serialization.read_job_id(operation.receipt)
    candidates = [job for job in jobs if job.operation == operation.id and job.phase == phase]
    return next((job for job in candidates if job.id == noted), next(iter(candidates), None))


def has_active(jobs: Iterable[Job]) -> bool:
    """Return whether work of these jobs goes on or waits."""
    return any(job.state.active for job in jobs)


def job_progress(operation: Operation, job: Job, *, last: bool, storage: str) -> Progress:
    """Return how an operation stands whose present phase is this job.

    Args:
        operation: whose progress.
        job: the work of its present phase.
        last: whether that phase is its last one.
        storage: the name of the storage that copies lie in.
    """
    if job.state is JobState.DONE:
        return _success_progress(operation, job, storage) if last else Progress(ProgressState.READY)
    if job.state is JobState.QUEUED:
        return Progress(ProgressState.QUEUED, reason="the cloud works on other jobs")
    return Progress(
        _UNSUCCESSFUL_STATES.get(job.state, ProgressState.RUNNING),
        done=job.done,
        total=job.size,
        unit="bytes",
        reason=job.reason,
        parts=job.parts,
        checks=job.checks,
    )


def release_progress(jobs: Iterable[Job]) -> Progress:
    """Return whether an operation that has its outcome can be released now."""
    states = {job.state for job in jobs}
    if JobState.RUNNING in states:
        return Progress(ProgressState.RUNNING)
    return Progress(ProgressState.QUEUED if JobState.QUEUED in states else ProgressState.READY)


def ids_to_keep(operation: Operation) -> frozenset[str]:
    """Return the ids of what an ended operation made that is to stay.

    The outcome is what tells, not the jobs: they may be forgotten already, when a release is
    repeated after a crash.
    """
    outcome = operation.outcome
    if outcome is None or not operation.work_succeeded:
        return frozenset()
    if operation.makes_backup and outcome.backup is not None:
        return frozenset({_serialization.read_copy_id(outcome.backup.handle)})
    return frozenset(resource.id for resource in outcome.resources)


def _success_progress(operation: Operation, job: Job, storage: str) -> Progress:
    done = Progress(
        ProgressState.SUCCEEDED, done=job.done, total=job.size, unit="bytes", parts=job.parts
    )
    match operation.verb:
        case Verb.PROTECT | Verb.COPY:
            whole, *members = job.made
            return attrs.evolve(
                done,
                handle=_serialization.make_handle(whole),
                storage=storage,
                members=tuple(
                    Member(part.resource, _serialization.make_handle(copy_id))
                    for part, copy_id in zip(job.parts, members, strict=True)
                ),
            )
        case Verb.RESTORE:
            return attrs.evolve(done, resources=job.restored)
        case Verb.VERIFY | Verb.MAINTAIN:
            return attrs.evolve(done, checks=job.checks)
        case _:
            return done
