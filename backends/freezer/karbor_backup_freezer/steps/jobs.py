"""The job of an operation: begun once, found again by its id."""

from collections.abc import Mapping, Sequence
from typing import Any

from karbor_backup_core import BackendError, InvalidInput, Operation, Transient
from karbor_backup_freezer.agent_text import COLUMN_LIMIT, unescaped
from karbor_backup_freezer.bookkeeping import Bookkeeping
from karbor_backup_freezer.client import FreezerClient
from karbor_backup_freezer.identifiers import WORK, job_id
from karbor_backup_freezer.jobs import RAN, Job, job_document
from karbor_backup_freezer.steps.work import Work


def begun(work: Work, operation: Operation, step: str = WORK) -> Job | None:
    """The job that an earlier attempt has created; a first attempt does not look.

    Args:
        work: Freezer.
        operation: whose job.
        step: the step that the job does.

    Raises:
        Transient: Freezer cannot be asked now.
        BackendError: Freezer refuses to tell.
    """
    if operation.attempt <= 1:
        return None
    found = work.client.job(job_id(operation.id, step))
    return None if found is None else Job.read(found)


def ended(work: Work, operation: Operation, step: str = WORK) -> Job | None:
    """The job of a step that is over, as a poll has seen it or as Freezer tells it now.

    Raises:
        Transient: Freezer cannot be asked now.
        BackendError: Freezer refuses to tell.
    """
    identifier = job_id(operation.id, step)
    seen, _ = work.ended.seen(identifier)
    if seen is not None and seen.stage in RAN:
        return seen
    document = work.client.job(identifier)
    return None if document is None else Job.read(document)


def begin(
    work: Work,
    operation: Operation,
    client_id: str,
    actions: Sequence[Mapping[str, Any]],
    step: str = WORK,
) -> None:
    """Create the job of an operation; it starts at once.

    Args:
        work: Freezer.
        operation: whose job.
        client_id: the scheduler that is to run it.
        actions: what the agent is to do.
        step: the step that the job does.

    Raises:
        Transient: a repeat may help.
        BackendError: Freezer refuses the job.
    """
    identifier = job_id(operation.id, step)
    document = job_document(identifier, client_id, description(operation), actions)
    try:
        create(work.client, document)
    except Transient:
        raise
    except BackendError:
        work.schedulers.forget()
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
    if client.create_job(dict(document)) or client.job(identifier) is not None:
        return
    # Freezer gives an id once only. This create comes late, or somebody has deleted the job;
    # the actions that it has made all the same are listed by no job, and may hold secrets.
    books = Bookkeeping(client)
    actions = [action["freezer_action"] for action in document["job_actions"]]
    for container in sorted({action["container"] for action in actions}):
        books.sweep(unescaped(container))
    raise Transient(
        f"Freezer says that the id of job {identifier} is in use and that there is no such job: "
        "another process has finished with it, or somebody has deleted it"
    )


def description(operation: Operation) -> str:
    """What a job is called for people.

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
