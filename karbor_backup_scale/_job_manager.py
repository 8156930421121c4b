"""The engine's way to the jobs, for a worker that has a name and may have been taken for dead."""

import logging
import os
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

import psycopg
from procrastinate.connector import BaseConnector
from procrastinate.exceptions import ConnectorException, UniqueViolation
from procrastinate.jobs import Job, Status
from procrastinate.manager import JobManager
from psycopg.types.json import Jsonb

from karbor_backup_scale._names import first_line
from karbor_backup_scale.settings import WorkerSettings

_log: Final = logging.getLogger("karbor_backup.worker")

_INSERT: Final = """
INSERT INTO karbor_backup_workers (worker_id, host, pid, queues, hold, limits)
VALUES (%(worker)s, %(host)s, %(pid)s, %(queues)s, %(hold)s, %(limits)s)
"""


class WorkerJobManager(JobManager):
    """Tells the queue the name of its worker, and lets go of jobs that others have put back.

    Args:
        connector: of the queue.
        queues: the queues that the worker serves.
        settings: those of the worker.
        on_registered: is called with the worker's id.
    """

    def __init__(
        self,
        connector: BaseConnector,
        queues: Sequence[str],
        settings: WorkerSettings,
        on_registered: Callable[[int], None],
    ) -> None:
        super().__init__(connector)
        self._on_registered = on_registered
        self._description: dict[str, Any] = {
            "host": os.uname().nodename,
            "pid": os.getpid(),
            "queues": list(queues),
            "hold": settings.hold,
            "limits": Jsonb(dict(settings.limits)),
        }

    async def register_worker(self) -> int:
        """Register a worker, and return its id."""
        worker_id = await super().register_worker()
        await self.connector.execute_query_async(_INSERT, worker=worker_id, **self._description)
        self._on_registered(worker_id)
        return worker_id

    async def finish_job(self, job: Job, status: Status, delete_job: bool) -> None:  # noqa: FBT001 - the engine's signature
        """End a job, unless it is not the worker's any more."""
        try:
            await super().finish_job(job, status, delete_job)
        except ConnectorException as error:
            _forget(job, error)

    async def retry_job(
        self,
        job: Job,
        retry_at: datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        """Put a job back, unless it is not the worker's any more, or its operation has another."""
        try:
            await super().retry_job(job, retry_at, priority, queue, lock)
        except UniqueViolation:
            await self.finish_job(job, Status.FAILED, delete_job=True)
        except ConnectorException as error:
            _forget(job, error)


def _forget(job: Job, error: ConnectorException) -> None:
    """Let go of a job that is not to be found as it was.

    Raises:
        ConnectorException: that was not the reason.
    """
    if not isinstance(error.__cause__, psycopg.errors.RaiseException):
        raise error
    _log.debug("job %s is somebody else's: %s", job.id, first_line(error.__cause__))
