"""The job of an operation: begun once, found again by its id."""

from collections.abc import Mapping, Sequence
from typing import Any

from karbor_backup_core import BackendError, InvalidInput, Operation, Transient
from karbor_backup_freezer.agent_text import COLUMN_LIMIT
from karbor_backup_freezer.identifiers import job_id
from karbor_backup_freezer.jobs import Job, job_document
from karbor_backup_freezer.steps.work import Work


def begun(work: Work, operation: Operation) -> Job | None:
    """The job that an earlier attempt has created; a first attempt does not look.

    Raises:
        Transient: Freezer cannot be asked now.
        BackendError: Freezer refuses to tell.
    """
    if operation.attempt <= 1:
        return None
    found = work.client.job(job_id(operation.id))
    return None if found is None else Job.read(found)


def begin(
    work: Work, operation: Operation, client_id: str, actions: Sequence[Mapping[str, Any]]
) -> None:
    """Create the job of an operation; it starts at once.

    Raises:
        Transient: a repeat may help.
        BackendError: Freezer refuses the job.
    """
    identifier = job_id(operation.id)
    document = job_document(identifier, client_id, description(operation), actions)
    try:
        created = work.client.create_job(document)
    except Transient:
        raise
    except BackendError:
        work.schedulers.forget()
        raise
    if not created and work.client.job(identifier) is None:
        raise Transient(
            f"Freezer says that the id of job {identifier} is in use and that there is no such "
            "job; it stays so if somebody has deleted the job"
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
