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
from karbor_backup_freezer.identifiers import work_step
from karbor_backup_freezer.jobs import RAN, SETTLE, Job, Stage
from karbor_backup_freezer.receipts import Receipt, Step
from karbor_backup_freezer.resources import DIRECTORY
from karbor_backup_freezer.schedulers import PATIENCE, Load, Scheduler
from karbor_backup_freezer.steps import jobs
from karbor_backup_freezer.steps.work import Work

_READY: Final = Progress(ProgressState.READY)
_LONGEST: Final = 1800.0
"""Seconds for which a scheduler is waited for at the most; each move makes it longer.

So one that asks for jobs more rarely than others comes to its turn as well.
"""


def is_overdue(operation: Operation) -> bool:
    """Whether the job of an operation should have been taken up by now."""
    begun = operation.submitted_at
    if begun is None or operation.state is not State.RUNNING or operation.outcome is not None:
        return False
    moves = Receipt.of(operation).moves
    return time.time() - begun.timestamp() >= min(PATIENCE * (1 + moves), _LONGEST)


def untaken(operation: Operation, job: Job) -> str:
    """Return what an operation waits for whose job nobody has taken up, empty where one has."""
    begun = operation.submitted_at
    if job.stage not in (Stage.WAITING, Stage.HALTED) or job.taken or begun is None:
        return ""
    moves = Receipt.of(operation).moves
    before = f", nor have {moves} before it" if moves else ""
    return (
        f"scheduler {job.client!r} has not taken up job {job.id} since "
        f"{begun:%Y-%m-%d %H:%M:%S} UTC{before}: see whether it runs and reaches Freezer's API"
    )


def look(work: Work, operation: Operation, job: Job) -> Progress:
    """Say how a job stands that waits, or that was withdrawn.

    Raises:
        Transient: Freezer cannot be asked for its schedulers now.
        BackendError: Freezer refuses to tell.
    """
    running = Progress(ProgressState.RUNNING)
    receipt = Receipt.of(operation)
    if receipt.settles_at:
        settled = job.stage is Stage.STOPPED or time.time() >= receipt.settles_at
        withdrawn = job.stage in (Stage.STOPPED, Stage.HALTED)
        return _READY if withdrawn and settled else running
    if not is_overdue(operation) or not (reason := untaken(operation, job)):
        return running
    to_move = receipt.step is Step.JOB and job.stage is Stage.WAITING
    if to_move and _other(work, operation, receipt, job) is not None:
        return _READY
    return attrs.evolve(running, reason=reason)


def advance_job(work: Work, operation: Operation, receipt: Receipt) -> Progress | None:
    """Take the next step for the present job of an operation, as ``advance`` does.

    Raises:
        Transient: a repeat may help.
        BackendError: Freezer refuses.
    """
    if receipt.step is not Step.JOB:
        return None
    return advance(work, operation, receipt, jobs.ended(work, operation, work_step(receipt.jobs)))


def advance(work: Work, operation: Operation, receipt: Receipt, job: Job | None) -> Progress | None:
    """Withdraw a job that nobody has taken up, or move it; None where its work has ended.

    Raises:
        Transient: a repeat may help.
        BackendError: Freezer refuses.
    """
    if job is None or job.stage in RAN or (job.stage is Stage.STOPPED and not receipt.settles_at):
        return None
    match job.stage:
        case Stage.WAITING if not job.taken and not receipt.settles_at:
            work.client.stop_job(job.id)
            return attrs.evolve(receipt, settles_at=time.time() + SETTLE).running()
        case Stage.HALTED if not receipt.settles_at:
            return attrs.evolve(receipt, settles_at=time.time() + SETTLE).running()
        case Stage.HALTED | Stage.STOPPED:
            # Who has heeded the stop lives, and gets the job back.
            other = _other(work, operation, receipt, job) if job.stage is Stage.HALTED else None
            client = other.client_id if other is not None else job.client
            work.client.move_job(job.id, client)
            moves = receipt.moves + 1
            return attrs.evolve(receipt, client=client, moves=moves, settles_at=0.0).running()
        case _:
            # It was taken up after all, or a lost attempt has moved it.
            return attrs.evolve(receipt, client=job.client, settles_at=0.0).running()


def _other(work: Work, operation: Operation, receipt: Receipt, job: Job) -> Scheduler | None:
    """Return the scheduler that is to have the job next, None where no other fits.

    They have it in turn, those that are not silent before the others.
    """
    if work.scheduler_named(operation) is not None:
        return None
    fitting = work.schedulers.fitting([action.fields for action in job.actions])
    others = [s for s in fitting if s.client_id != job.client]
    if _is_bound(work, operation, receipt):
        known = {s.client_id: s.hostname for s in work.schedulers.all()}
        hostname = known.get(job.client) or receipt.hostname
        others = [s for s in others if s.hostname == hostname]
    if not others:
        return None
    loads = work.schedulers.loads()
    in_turn = sorted(others, key=lambda s: (s.client_id < job.client, s.client_id))
    alive = (s for s in in_turn if not loads.get(s.client_id, Load()).silent_since)
    return next(alive, in_turn[0])


def _is_bound(work: Work, operation: Operation, receipt: Receipt) -> bool:
    """Whether only schedulers of the same host reach what the job works on."""
    if operation.resource.type == DIRECTORY:
        return True
    storage = work.configuration.storages.get(receipt.storage)
    return operation.verb is not Verb.PROTECT and (storage is None or storage.on_one_host)
