"""Taking a job from a scheduler that does not take it up, and giving it to another one.

Freezer keeps a scheduler on its list that has died, and a job given to it waits for ever. A job
that nobody has taken up is withdrawn first: it is stopped, and is looked at again when no answer of
the scheduler can cross with that any more. What is seen then at the API decides. It is moved with
one write that names its new scheduler and starts it, so the one before never sees it again, and a
repeat of the call finds where it is.
"""

import time
from typing import Final

import attrs

from karbor_backup_core import Operation, Progress, ProgressState, State, Verb
from karbor_backup_freezer.api.jobs import COMPLETED_STATES, STOP_GRACE, Job, JobState
from karbor_backup_freezer.api.schedulers import PICKUP_TIMEOUT, Scheduler, SchedulerLoad
from karbor_backup_freezer.model.receipt import Receipt
from karbor_backup_freezer.model.resource_types import DIRECTORY
from karbor_backup_freezer.workflows.context import WorkflowContext

_READY: Final = Progress(ProgressState.READY)
_MAX_PICKUP_TIMEOUT: Final = 1800.0
"""Seconds for which a scheduler is waited for at the most; each move makes it longer.

So one that asks for jobs more rarely than others comes to its turn as well.
"""


def is_overdue(operation: Operation) -> bool:
    """Whether the job of an operation should have been taken up by now."""
    begun = operation.submitted_at
    if begun is None or operation.state is not State.RUNNING or operation.outcome is not None:
        return False
    moves = Receipt.from_operation(operation).moves
    return time.time() - begun.timestamp() >= min(PICKUP_TIMEOUT * (1 + moves), _MAX_PICKUP_TIMEOUT)


def describe_untaken_job(operation: Operation, job: Job) -> str:
    """Return what an operation waits for whose job nobody has taken up, empty where one has."""
    begun = operation.submitted_at
    if job.state not in (JobState.WAITING, JobState.HALTED) or job.picked_up or begun is None:
        return ""
    moves = Receipt.from_operation(operation).moves
    before = f", nor have {moves} before it" if moves else ""
    return (
        f"scheduler {job.client!r} has not taken up job {job.id} since "
        f"{begun:%Y-%m-%d %H:%M:%S} UTC{before}: see whether it runs and reaches Freezer's API"
    )


def get_pickup_status(
    context: WorkflowContext, operation: Operation, job: Job, *, movable: bool
) -> Progress:
    """Return how a job stands that waits, or that was withdrawn.

    Args:
        context: Freezer.
        operation: whose job.
        job: as the poll has seen it.
        movable: whether the operation goes on with this job, so that it can be moved.

    Raises:
        Transient: Freezer cannot be asked for its schedulers now.
        BackendError: Freezer refuses to tell.
    """
    running = Progress(ProgressState.RUNNING)
    receipt = Receipt.from_operation(operation)
    if receipt.settles_at:
        settled = job.state is JobState.STOPPED or time.time() >= receipt.settles_at
        withdrawn = job.state in (JobState.STOPPED, JobState.HALTED)
        return _READY if withdrawn and settled else running
    if not is_overdue(operation) or not (reason := describe_untaken_job(operation, job)):
        return running
    if (
        movable
        and job.state is JobState.WAITING
        and _find_other_scheduler(context, operation, receipt, job) is not None
    ):
        return _READY
    return attrs.evolve(running, reason=reason)


def advance_reassignment(
    context: WorkflowContext, operation: Operation, receipt: Receipt, job: Job | None
) -> Progress | None:
    """Withdraw a job that nobody has taken up, or move it; None where its work has ended.

    Raises:
        Transient: a repeat may help.
        BackendError: Freezer refuses.
    """
    if (
        job is None
        or job.state in COMPLETED_STATES
        or (job.state is JobState.STOPPED and not receipt.settles_at)
    ):
        return None
    match job.state:
        case JobState.WAITING if not job.picked_up and not receipt.settles_at:
            context.client.stop_job(job.id)
            return attrs.evolve(receipt, settles_at=time.time() + STOP_GRACE).running_progress()
        case JobState.HALTED if not receipt.settles_at:
            return attrs.evolve(receipt, settles_at=time.time() + STOP_GRACE).running_progress()
        case JobState.HALTED | JobState.STOPPED:
            # Who has heeded the stop lives, and gets the job back.
            other = (
                _find_other_scheduler(context, operation, receipt, job)
                if job.state is JobState.HALTED
                else None
            )
            client = other.client_id if other is not None else job.client
            context.client.move_job(job.id, client)
            moves = receipt.moves + 1
            return attrs.evolve(
                receipt, client=client, moves=moves, settles_at=0.0
            ).running_progress()
        case _:
            # It was taken up after all, or a lost attempt has moved it.
            return attrs.evolve(receipt, client=job.client, settles_at=0.0).running_progress()


def _find_other_scheduler(
    context: WorkflowContext, operation: Operation, receipt: Receipt, job: Job
) -> Scheduler | None:
    """Return the scheduler that is to have the job next, None where no other fits.

    They have it in turn, those that are not silent before the others.
    """
    if context.requested_scheduler(operation) is not None:
        return None
    fitting = context.schedulers.find_capable([action.fields for action in job.actions])
    others = [s for s in fitting if s.client_id != job.client]
    if _is_bound_to_host(context, operation, receipt):
        known = {s.client_id: s.hostname for s in context.schedulers.list_all()}
        hostname = known.get(job.client) or receipt.hostname
        others = [s for s in others if s.hostname == hostname]
    if not others:
        return None
    loads = context.schedulers.get_loads()
    in_turn = sorted(others, key=lambda s: (s.client_id < job.client, s.client_id))
    alive = (s for s in in_turn if not loads.get(s.client_id, SchedulerLoad()).silent_since)
    return next(alive, in_turn[0])


def _is_bound_to_host(context: WorkflowContext, operation: Operation, receipt: Receipt) -> bool:
    """Whether only schedulers of the same host reach what the job works on."""
    if operation.resource.type == DIRECTORY:
        return True
    storage = context.configuration.storages.get(receipt.storage)
    return operation.verb is not Verb.PROTECT and (storage is None or storage.is_host_local)
