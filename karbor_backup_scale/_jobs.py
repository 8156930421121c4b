"""The jobs of the queue: one for each operation that is to be driven."""

import logging
from datetime import UTC, datetime
from typing import Final

from procrastinate import App
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException, UniqueViolation
from procrastinate.jobs import Job, Status

from karbor_backup_core import Operation
from karbor_backup_scale._names import DRIVE_TASK, fetched_id, queue_of

_log: Final = logging.getLogger("karbor_backup.worker")


async def enqueue(app: App, operation: Operation) -> bool:
    """Put a stored operation into its queue; return whether it was not there yet."""
    configured = app.configure_task(
        DRIVE_TASK, queue=queue_of(operation), queueing_lock=operation.id
    )
    try:
        await configured.defer_async(operation_id=operation.id, backend=operation.backend)
    except AlreadyEnqueued:
        return False
    return True


async def requeue(app: App, job: Job) -> None:
    """Put a job back that no worker works on; remove it if its operation has another one.

    It may have come to its end in the meantime, or another worker may have put it back.
    """
    job_id = fetched_id(job)
    try:
        await app.job_manager.retry_job_by_id_async(
            job_id, retry_at=datetime.now(UTC), lock=f"job {job_id}"
        )
    except UniqueViolation:
        await _remove(app, job_id)
    except ConnectorException as error:
        _log.debug("job %s is not at work any more: %s", job_id, error.__cause__)


async def _remove(app: App, job_id: int) -> None:
    try:
        await app.job_manager.finish_job_by_id_async(job_id, Status.FAILED, delete_job=True)
    except ConnectorException as error:
        _log.debug("job %s is gone: %s", job_id, error.__cause__)
