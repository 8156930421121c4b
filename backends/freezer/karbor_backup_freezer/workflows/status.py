"""How a step that goes on outside stands; nothing is changed here."""

import time
from collections.abc import Iterable, Mapping
from typing import Final

from karbor_backup_core import (
    BackendError,
    Check,
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
from karbor_backup_freezer.agent.actions import native_backup_name
from karbor_backup_freezer.api.jobs import ENDED_STATES, Job, JobState
from karbor_backup_freezer.cloud.native_backups import LEFTOVER_KIND as NATIVE_KIND
from karbor_backup_freezer.cloud.native_backups import NativeBackupState as NativeStage
from karbor_backup_freezer.directories.hosts import is_local_host
from karbor_backup_freezer.directories.ownership import ownership_checks
from karbor_backup_freezer.directories.restored_contents import (
    restored_contents_check,
    unknown_contents,
)
from karbor_backup_freezer.inspection.archive_reads import ReadInProgress
from karbor_backup_freezer.model.ids import job_id, removal_step, work_step
from karbor_backup_freezer.model.items import Mode
from karbor_backup_freezer.model.receipt import Receipt, StepName
from karbor_backup_freezer.model.resource_types import DIRECTORY, PROJECT, restore_path
from karbor_backup_freezer.workflows import reassignment, results
from karbor_backup_freezer.workflows.context import WorkflowContext, get_discovery_result

_READY: Final = Progress(ProgressState.READY)
_UNKNOWN: Final = Progress(ProgressState.UNKNOWN)

_NEXT_STEPS: Final[Mapping[Verb, Mapping[StepName, StepName]]] = {
    Verb.PROTECT: {
        StepName.NONE: StepName.JOB,
        StepName.SURVEY: StepName.JOB,
        StepName.JOB: StepName.NATIVE,
    },
    Verb.RESTORE: {
        StepName.NONE: StepName.JOB,
        StepName.PREFLIGHT: StepName.JOB,
        StepName.PREPARE: StepName.JOB,
        StepName.JOB: StepName.REBUILD,
        StepName.REBUILD: StepName.REBUILD,
    },
    Verb.DELETE: {
        StepName.NONE: StepName.JOB,
        StepName.JOB: StepName.NATIVE,
        StepName.NATIVE: StepName.NATIVE,
    },
}
"""The first step with work outside that may follow a step."""


_LOCAL_STEPS: Final = frozenset({StepName.NONE, StepName.SURVEY, StepName.PREFLIGHT})
"""Steps of which no work goes on outside."""


def awaited_job_id(operation: Operation) -> str:
    """The id of the job that an operation waits for, empty where its present step has none.

    Raises:
        BackendError: its receipt cannot be read.
    """
    if operation.verb is Verb.VERIFY:
        return ""
    receipt = Receipt.from_operation(operation)
    if operation.state is State.RELEASING and receipt.removal:
        return job_id(operation.id, removal_step(receipt.removal))
    if operation.outcome is None and _current_step(operation) is not StepName.JOB:
        return _possible_next_job_id(operation, receipt)
    return job_id(operation.id, work_step(receipt.jobs))


def _possible_next_job_id(operation: Operation, receipt: Receipt) -> str:
    """The id of another job of a project's restore, if a call that is out may have begun it."""
    may_have = receipt.step is StepName.JOB and operation.state is State.SUBMITTING
    if may_have and operation.verb is Verb.RESTORE and operation.resource.type == PROJECT:
        return job_id(operation.id, work_step(receipt.jobs + 1))
    return ""


def has_records(operation: Operation, job: Job) -> bool:
    """Whether the job of a protect has succeeded, so that it has left records."""
    wanted = operation.verb is Verb.PROTECT and operation.outcome is None
    return wanted and job.state is JobState.SUCCEEDED


def get_status(context: WorkflowContext, operation: Operation, job: Job | None) -> Progress:
    """Say how an operation stands.

    Args:
        context: the ways to Cinder and Nova, for steps that go on there.
        operation: which.
        job: the job that it waits for, None where there is none.
    """
    try:
        if operation.outcome is not None:
            return _release_status(context, operation, job)
        if operation.verb is Verb.VERIFY:
            return (
                _UNKNOWN if operation.receipt is None else _archive_read_status(context, operation)
            )
        match _current_step(operation):
            case StepName.JOB:
                return _UNKNOWN if job is None else _job_status(context, operation, job)
            case StepName.NATIVE:
                return _native_backup_status(context, operation)
            case _ if job is not None:
                return _job_status(context, operation, job)
            case _:
                return _restore_status(context, operation)
    except Transient as error:
        # One operation's service is down: the others have their answers all the same.
        return Progress(ProgressState.RUNNING, reason=str(error))
    except (BackendError, InvalidInput) as error:
        return Progress(ProgressState.FAILED, reason=str(error))


def _current_step(operation: Operation) -> StepName:
    """The step whose work outside is asked about: while a call is out, the one after the last."""
    noted = Receipt.from_operation(operation).step
    if operation.state is State.SUBMITTING or noted in _LOCAL_STEPS:
        return _NEXT_STEPS[operation.verb].get(noted, noted)
    return noted


def _release_status(context: WorkflowContext, operation: Operation, job: Job | None) -> Progress:
    """Whether the release may go on."""
    receipt = Receipt.from_operation(operation)
    if job is None or job.state in ENDED_STATES:
        return (
            _restore_status(context, operation)
            if receipt.notes
            else _cleanup_status(context, operation)
        )
    if job.state is JobState.HALTED and time.time() >= receipt.settles_at:
        return _READY
    return _running_with_leftovers(context, operation, job)


def _cleanup_status(context: WorkflowContext, operation: Operation) -> Progress:
    """Whether the cloud still works on what a release removes, so that it would only look."""
    if operation.resource.type == DIRECTORY or operation.verb not in (Verb.PROTECT, Verb.RESTORE):
        return _READY
    pending = context.temporary_resources.list_pending(job_id(operation.id))
    if operation.verb is Verb.PROTECT:
        named = (
            native
            for item in get_discovery_result(operation).pieces
            if item.mode is Mode.NATIVE
            for native in context.native_backups.find_by_name(
                native_backup_name(operation), item.id
            )
        )
        pending += _busy_native_backups(context, named, NativeStage.RUNNING, NativeStage.DELETING)
    return Progress(ProgressState.RUNNING, leftovers=pending) if pending else _READY


def _job_status(context: WorkflowContext, operation: Operation, job: Job) -> Progress:
    alone = operation.resource.type == DIRECTORY
    match job.state:
        case JobState.SUCCEEDED if alone and operation.verb is Verb.RESTORE:
            return _directory_restore_result(context, operation)
        case JobState.SUCCEEDED:
            return _READY
        case JobState.FAILED if _is_compound(context, operation):
            # What became of each member is told by the next step.
            return _READY
        case JobState.FAILED:
            return Progress(ProgressState.FAILED, reason=_failure_reason(operation, job))
        case JobState.STOPPED | JobState.HALTED if operation.cancel_sent:
            reason = (
                ""
                if operation.cancel_requested
                else reassignment.describe_untaken_job(operation, job)
            )
            return Progress(ProgressState.CANCELLED, reason=reason)
        case JobState.STOPPED if Receipt.from_operation(operation).settles_at:
            return reassignment.get_pickup_status(context, operation, job)
        case JobState.STOPPED:
            return Progress(
                ProgressState.FAILED, reason=f"job {job.id} was stopped in Freezer by somebody"
            )
        case _:
            if operation.cancel_sent:
                return _running_with_leftovers(context, operation, job)
            return reassignment.get_pickup_status(context, operation, job)


def _is_compound(context: WorkflowContext, operation: Operation) -> bool:
    if operation.verb is Verb.PROTECT:
        return len(get_discovery_result(operation).pieces) > 1
    restores = operation.verb is Verb.RESTORE and operation.backup is not None
    return restores and len(context.load_handle(operation).pieces) > 1


def _native_backup_status(context: WorkflowContext, operation: Operation) -> Progress:
    """Whether Cinder still works on its own backups of an operation."""
    if operation.verb is Verb.DELETE and operation.backup is not None:
        items = context.load_handle(operation).pieces
        ids = {stored.native for stored in items}
        busy = NativeStage.DELETING
    else:
        ids = {native for _, _, native in Receipt.from_operation(operation).records}
        busy = NativeStage.RUNNING
    if left := _busy_native_backups(context, ids - {""}, busy):
        return Progress(ProgressState.RUNNING, leftovers=left)
    return _archive_read_status(context, operation) if operation.verb is Verb.PROTECT else _READY


def _archive_read_status(context: WorkflowContext, operation: Operation) -> Progress:
    """Whether this process still reads what is stored; it is read anew where none does."""
    if operation.verb is Verb.VERIFY and operation.cancel_sent:
        return Progress(ProgressState.CANCELLED)
    still = context.inspector.archive_progress(context.get_container(operation))
    return (
        _READY
        if still is None
        else results.archive_read_progress(Receipt.from_operation(operation), still)
    )


def _busy_native_backups(
    context: WorkflowContext, ids: Iterable[str], *stages: NativeStage
) -> tuple[Leftover, ...]:
    """Name Cinder's own backups that are in one of these stages."""
    return tuple(
        Leftover(NATIVE_KIND, state.id, f"Cinder calls it {state.status!r}")
        for state in context.native_backups.get_backups(set(ids)).values()
        if state.state in stages
    )


def _restore_status(context: WorkflowContext, operation: Operation) -> Progress:
    if operation.verb is not Verb.RESTORE or operation.backup is None:
        return _READY
    notes = Receipt.from_operation(operation).notes
    return context.restorer.check_pending(operation, context.load_handle(operation), notes)


def _running_with_leftovers(context: WorkflowContext, operation: Operation, job: Job) -> Progress:
    """The answer for work that is to stop: should it never end, this is what is left."""
    note = (
        f"scheduler {job.client} has not ended it: see what its freezer-agent does, "
        "then delete the job"
    )
    leftovers: tuple[Leftover, ...] = (Leftover("Freezer job", job.id, note),)
    if operation.resource.type != DIRECTORY:
        try:
            leftovers += context.temporary_resources.list_leftovers(job_id(operation.id))
            if operation.verb is Verb.RESTORE and operation.backup is not None:
                leftovers += context.restorer.find_unproven_volumes(
                    operation, context.load_handle(operation)
                )
        except BackendError as error:
            unseen = Leftover("temporary things in the cloud", job.id, str(error))
            leftovers += (unseen,)
    reason = reassignment.describe_untaken_job(operation, job)
    return Progress(ProgressState.RUNNING, reason=reason, leftovers=leftovers)


def _failure_reason(operation: Operation, job: Job) -> str:
    """Freezer keeps no reason: say where it is, and what it often is."""
    hint = ""
    if operation.verb is Verb.RESTORE and operation.resource.type == DIRECTORY:
        # On this host the guard has seen that it is empty.
        fits = operation.options.get("overwrite", False) or is_local_host(job.get_field("hostname"))
        hint = "" if fits else "; a directory that is not empty needs the option 'overwrite'"
    return (
        f"Freezer's job ended with result {job.result or 'none'!r}; the reason is in the log of "
        f"scheduler {job.client} and in freezer-agent's log on host "
        f"{job.get_field('hostname') or 'of that scheduler'}{hint}"
    )


def _directory_restore_result(context: WorkflowContext, operation: Operation) -> Progress:
    path = restore_path(operation.resource, operation.options)
    restored = Resource(DIRECTORY, path, operation.options.get("restore_name", ""))
    receipt = Receipt.from_operation(operation)
    try:
        compared = _compare_restored(context, operation, path, receipt.hostname)
    except ReadInProgress as still:
        done, total = still.progress.done, still.progress.total
        return Progress(ProgressState.RUNNING, done=done, total=total, unit="bytes")
    checks = (*ownership_checks(receipt.client, receipt.hostname), compared)
    return Progress(ProgressState.SUCCEEDED, resources=(restored,), checks=checks)


def _compare_restored(
    context: WorkflowContext, operation: Operation, path: str, hostname: str
) -> Check:
    """Compare a restored directory with its archive; what has succeeded stays a success."""
    if operation.cancel_sent:
        return unknown_contents("the restore was to stop")
    try:
        _, handle, storage = context.load_source(operation)
    except InvalidInput as error:
        return unknown_contents(str(error))
    (stored,) = handle.pieces
    return restored_contents_check(
        context.inspector, storage, handle.location, stored, path, hostname
    )
