"""The job of an operation: begun once, found again by its id."""

from collections.abc import Mapping, Sequence
from typing import Any

from karbor_backup_core import BackendError, InvalidInput, Operation, Transient
from karbor_backup_freezer.agent.escaping import COLUMN_LIMIT, unescape
from karbor_backup_freezer.api.cleanup import FreezerCleanup
from karbor_backup_freezer.api.client import FreezerClient
from karbor_backup_freezer.api.jobs import COMPLETED_STATES, Job, job_document
from karbor_backup_freezer.model.ids import WORK, job_id
from karbor_backup_freezer.workflows.context import WorkflowContext
from karbor_backup_freezer.workflows.step import FreezerCall


def find_submitted_job(context: WorkflowContext, call: FreezerCall, step: str = WORK) -> Job | None:
    """Return the job that an earlier attempt has created; a first attempt does not look.

    Args:
        context: Freezer.
        call: of the operation whose job it is.
        step: the step that the job does.

    Raises:
        Transient: Freezer cannot be asked now.
        BackendError: Freezer refuses to tell.
    """
    if call.operation.attempt <= 1:
        return None
    return find_job(context, call, job_id(call.operation.id, step))


def get_finished_job(context: WorkflowContext, call: FreezerCall, step: str = WORK) -> Job | None:
    """Return the job of a step that is over, as a poll has seen it or as Freezer tells it now.

    Raises:
        Transient: Freezer cannot be asked now.
        BackendError: Freezer refuses to tell.
    """
    identifier = job_id(call.operation.id, step)
    seen, _ = context.finished_jobs.get(identifier)
    if seen is not None and seen.state in COMPLETED_STATES:
        return seen
    return find_job(context, call, identifier)


def find_job(context: WorkflowContext, call: FreezerCall, identifier: str) -> Job | None:
    """Return a job as it is now, or as this call has seen it already; None where there is none.

    Raises:
        Transient: Freezer cannot be asked now.
        BackendError: Freezer refuses to tell.
    """
    if identifier not in call.jobs:
        document = context.client.get_job(identifier)
        call.jobs[identifier] = None if document is None else Job.from_document(document)
    return call.jobs[identifier]


def submit_job(
    context: WorkflowContext,
    operation: Operation,
    client_id: str,
    actions: Sequence[Mapping[str, Any]],
    step: str = WORK,
) -> None:
    """Create the job of an operation; it starts at once.

    Args:
        context: Freezer.
        operation: whose job.
        client_id: the scheduler that is to run it.
        actions: what the agent is to do.
        step: the step that the job does.

    Raises:
        Transient: a repeat may help.
        BackendError: Freezer refuses the job.
    """
    identifier = job_id(operation.id, step)
    document = job_document(identifier, client_id, job_description(operation), actions)
    try:
        create(context.client, document)
    except Transient:
        raise
    except BackendError:
        context.schedulers.invalidate()
        raise


def create(client: FreezerClient, document: Mapping[str, Any]) -> None:
    """Create a job, unless it is there already.

    Args:
        client: Freezer.
        document: as ``job_document`` makes it.

    Raises:
        Transient: the job's id is used up, or a repeat may help.
        BackendError: Freezer refuses the job.
    """
    identifier = document["job_id"]
    if client.create_job(dict(document)) or client.get_job(identifier) is not None:
        return
    # Freezer gives an id once only. This create comes late, or somebody has deleted the job;
    # the actions that it has made all the same are listed by no job, and may hold secrets.
    cleanup = FreezerCleanup(client)
    actions = [action["freezer_action"] for action in document["job_actions"]]
    for container in sorted({action["container"] for action in actions}):
        cleanup.delete_stray_actions(unescape(container))
    raise Transient(
        f"Freezer says that the id of job {identifier} is in use and that there is no such job: "
        "another process has finished with it, or somebody has deleted it"
    )


def job_description(operation: Operation) -> str:
    """Return what a job is called for people.

    Raises:
        InvalidInput: the one that was given is too long.
    """
    resource = operation.resource
    given: str = operation.options.get("description", "")
    if len(given) > COLUMN_LIMIT:
        raise InvalidInput(
            f"description: {len(given)} characters, and Freezer keeps at most {COLUMN_LIMIT}"
        )
    return given or f"karbor-backup {operation.verb} of {resource.type} {resource.id}"
