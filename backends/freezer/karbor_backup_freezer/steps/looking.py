"""How a step that goes on outside stands; nothing is changed here."""

import time
from collections.abc import Iterable, Mapping
from typing import Final

from karbor_backup_core import (
    BackendError,
    InvalidInput,
    Leftover,
    Operation,
    Progress,
    ProgressState,
    Resource,
    State,
    Transient,
    Verb,
)
from karbor_backup_freezer.actions import native_name
from karbor_backup_freezer.directories.hosts import is_here
from karbor_backup_freezer.directories.rights import rights_checks
from karbor_backup_freezer.identifiers import job_id, removal_step, work_step
from karbor_backup_freezer.jobs import ENDED, Job, Stage
from karbor_backup_freezer.native import KIND as NATIVE_KIND
from karbor_backup_freezer.native import Stage as NativeStage
from karbor_backup_freezer.pieces import Mode
from karbor_backup_freezer.receipts import Receipt, Step
from karbor_backup_freezer.resources import DIRECTORY, PROJECT, restore_path
from karbor_backup_freezer.steps import handover, results
from karbor_backup_freezer.steps.work import Work, covered

_READY: Final = Progress(ProgressState.READY)
_UNKNOWN: Final = Progress(ProgressState.UNKNOWN)

_NEXT: Final[Mapping[Verb, Mapping[Step, Step]]] = {
    Verb.PROTECT: {
        Step.NONE: Step.JOB,
        Step.SURVEY: Step.JOB,
        Step.JOB: Step.NATIVE,
    },
    Verb.RESTORE: {
        Step.NONE: Step.JOB,
        Step.PREFLIGHT: Step.JOB,
        Step.PREPARE: Step.JOB,
        Step.JOB: Step.REBUILD,
        Step.REBUILD: Step.REBUILD,
    },
    Verb.DELETE: {Step.NONE: Step.JOB, Step.JOB: Step.NATIVE, Step.NATIVE: Step.NATIVE},
}
"""The first step with work outside that may follow a step."""


_INSIDE: Final = frozenset({Step.NONE, Step.SURVEY, Step.PREFLIGHT})
"""Steps of which no work goes on outside."""


def awaited_job(operation: Operation) -> str:
    """The id of the job that an operation waits for, empty where its present step has none.

    Raises:
        BackendError: its receipt cannot be read.
    """
    if operation.verb is Verb.VERIFY:
        return ""
    receipt = Receipt.of(operation)
    if operation.state is State.RELEASING and receipt.removal:
        return job_id(operation.id, removal_step(receipt.removal))
    if operation.outcome is None and _present(operation) is not Step.JOB:
        return _perhaps_next(operation, receipt)
    return job_id(operation.id, work_step(receipt.jobs))


def _perhaps_next(operation: Operation, receipt: Receipt) -> str:
    """The id of another job of a project's restore, if a call that is out may have begun it."""
    may_have = receipt.step is Step.JOB and operation.state is State.SUBMITTING
    if may_have and operation.verb is Verb.RESTORE and operation.resource.type == PROJECT:
        return job_id(operation.id, work_step(receipt.jobs + 1))
    return ""


def has_stored(operation: Operation, job: Job) -> bool:
    """Whether the job of a protect has succeeded, so that it has left records."""
    wanted = operation.verb is Verb.PROTECT and operation.outcome is None
    return wanted and job.stage is Stage.SUCCEEDED


def look(work: Work, operation: Operation, job: Job | None) -> Progress:
    """Say how an operation stands.

    Args:
        work: the ways to Cinder and Nova, for steps that go on there.
        operation: which.
        job: the job that it waits for, None where there is none.
    """
    try:
        if operation.outcome is not None:
            return _after_the_end(work, operation, job)
        if operation.verb is Verb.VERIFY:
            return _UNKNOWN if operation.receipt is None else _reading(work, operation)
        match _present(operation):
            case Step.JOB:
                return _UNKNOWN if job is None else _of_job(work, operation, job)
            case Step.NATIVE:
                return _natives(work, operation)
            case _ if job is not None:
                return _of_job(work, operation, job)
            case _:
                return _rebuild(work, operation)
    except Transient as error:
        # One operation's service is down: the others have their answers all the same.
        return Progress(ProgressState.RUNNING, reason=str(error))
    except (BackendError, InvalidInput) as error:
        return Progress(ProgressState.FAILED, reason=str(error))


def _present(operation: Operation) -> Step:
    """The step whose work outside is asked about: while a call is out, the one after the last."""
    noted = Receipt.of(operation).step
    if operation.state is State.SUBMITTING or noted in _INSIDE:
        return _NEXT[operation.verb].get(noted, noted)
    return noted


def _after_the_end(work: Work, operation: Operation, job: Job | None) -> Progress:
    """Whether the release may go on."""
    receipt = Receipt.of(operation)
    if job is None or job.stage in ENDED:
        return _rebuild(work, operation) if receipt.notes else _cleaned(work, operation)
    if job.stage is Stage.HALTED and time.time() >= receipt.settles_at:
        return _READY
    return _still_running(work, operation, job)


def _cleaned(work: Work, operation: Operation) -> Progress:
    """Whether the cloud still works on what a release removes, so that it would only look."""
    if operation.resource.type == DIRECTORY or operation.verb not in (Verb.PROTECT, Verb.RESTORE):
        return _READY
    pending = work.temporary.pending(job_id(operation.id))
    if operation.verb is Verb.PROTECT:
        named = (
            native
            for piece in covered(operation).pieces
            if piece.mode is Mode.NATIVE
            for native in work.natives.named(native_name(operation), piece.id)
        )
        pending += _busy(work, named, NativeStage.RUNNING, NativeStage.LEAVING)
    return Progress(ProgressState.RUNNING, leftovers=pending) if pending else _READY


def _of_job(work: Work, operation: Operation, job: Job) -> Progress:
    alone = operation.resource.type == DIRECTORY
    match job.stage:
        case Stage.SUCCEEDED if alone and operation.verb is Verb.RESTORE:
            return _restored_directory(operation)
        case Stage.SUCCEEDED:
            return _READY
        case Stage.FAILED if _is_compound(work, operation):
            # What became of each member is told by the next step.
            return _READY
        case Stage.FAILED:
            return Progress(ProgressState.FAILED, reason=_why(operation, job))
        case Stage.STOPPED | Stage.HALTED if operation.cancel_sent:
            reason = "" if operation.cancel_requested else handover.untaken(operation, job)
            return Progress(ProgressState.CANCELLED, reason=reason)
        case Stage.STOPPED if Receipt.of(operation).settles_at:
            return handover.look(work, operation, job)
        case Stage.STOPPED:
            return Progress(
                ProgressState.FAILED, reason=f"job {job.id} was stopped in Freezer by somebody"
            )
        case _:
            if operation.cancel_sent:
                return _still_running(work, operation, job)
            return handover.look(work, operation, job)


def _is_compound(work: Work, operation: Operation) -> bool:
    if operation.verb is Verb.PROTECT:
        return len(covered(operation).pieces) > 1
    restores = operation.verb is Verb.RESTORE and operation.backup is not None
    return restores and len(work.handle_of(operation).pieces) > 1


def _natives(work: Work, operation: Operation) -> Progress:
    """Whether Cinder still works on its own backups of an operation."""
    if operation.verb is Verb.DELETE and operation.backup is not None:
        pieces = work.handle_of(operation).pieces
        ids = {stored.native for stored in pieces}
        busy = NativeStage.LEAVING
    else:
        ids = {native for _, _, native in Receipt.of(operation).records}
        busy = NativeStage.RUNNING
    if left := _busy(work, ids - {""}, busy):
        return Progress(ProgressState.RUNNING, leftovers=left)
    return _reading(work, operation) if operation.verb is Verb.PROTECT else _READY


def _reading(work: Work, operation: Operation) -> Progress:
    """Whether this process still reads what is stored; it is read anew where none does."""
    if operation.verb is Verb.VERIFY and operation.cancel_sent:
        return Progress(ProgressState.CANCELLED)
    still = work.data.unread(work.container_of(operation))
    return _READY if still is None else results.reading(Receipt.of(operation), still)


def _busy(work: Work, ids: Iterable[str], *stages: NativeStage) -> tuple[Leftover, ...]:
    """Name Cinder's own backups that are in one of these stages."""
    return tuple(
        Leftover(NATIVE_KIND, state.id, f"Cinder calls it {state.status!r}")
        for state in work.natives.states(set(ids)).values()
        if state.stage in stages
    )


def _rebuild(work: Work, operation: Operation) -> Progress:
    if operation.verb is not Verb.RESTORE or operation.backup is None:
        return _READY
    notes = Receipt.of(operation).notes
    return work.rebuild.look(operation, work.handle_of(operation), notes)


def _still_running(work: Work, operation: Operation, job: Job) -> Progress:
    """The answer for work that is to stop: should it never end, this is what is left."""
    note = (
        f"scheduler {job.client} has not ended it: see what its freezer-agent does, "
        "then delete the job"
    )
    leftovers: tuple[Leftover, ...] = (Leftover("Freezer job", job.id, note),)
    if operation.resource.type != DIRECTORY:
        try:
            leftovers += work.temporary.left(job_id(operation.id))
            if operation.verb is Verb.RESTORE and operation.backup is not None:
                leftovers += work.rebuild.unproved(operation, work.handle_of(operation))
        except BackendError as error:
            unseen = Leftover("temporary things in the cloud", job.id, str(error))
            leftovers += (unseen,)
    reason = handover.untaken(operation, job)
    return Progress(ProgressState.RUNNING, reason=reason, leftovers=leftovers)


def _why(operation: Operation, job: Job) -> str:
    """Freezer keeps no reason: say where it is, and what it often is."""
    hint = ""
    if operation.verb is Verb.RESTORE and operation.resource.type == DIRECTORY:
        # On this host the guard has seen that it is empty.
        fits = operation.options.get("overwrite", False) or is_here(job.field("hostname"))
        hint = "" if fits else "; a directory that is not empty needs the option 'overwrite'"
    return (
        f"Freezer's job ended with result {job.result or 'none'!r}; the reason is in the log of "
        f"scheduler {job.client} and in freezer-agent's log on host "
        f"{job.field('hostname') or 'of that scheduler'}{hint}"
    )


def _restored_directory(operation: Operation) -> Progress:
    path = restore_path(operation.resource, operation.options)
    restored = Resource(DIRECTORY, path, operation.options.get("restore_name", ""))
    receipt = Receipt.of(operation)
    checks = tuple(rights_checks(receipt.client, receipt.hostname))
    return Progress(ProgressState.SUCCEEDED, resources=(restored,), checks=checks)
