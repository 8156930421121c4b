"""The task of a job: it hands an operation to the runner, and waits for its end."""

import asyncio
import concurrent.futures
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from procrastinate import BaseRetryStrategy, JobContext, RetryDecision
from procrastinate.jobs import Job

from karbor_backup_core import (
    Conflict,
    KarborBackupError,
    Operation,
    OperationFuture,
    Runner,
    RunnerClosed,
    StoreError,
    UnknownOperation,
    WrongPlace,
)
from karbor_backup_scale._names import fetched_id, queue_of
from karbor_backup_scale._slots import Slots

_log: Final = logging.getLogger("karbor_backup.worker")

_STORE_RETRY_SECONDS: Final = 1.0
_LONGEST_DELAY: Final = timedelta(minutes=5)
"""The longest time until a job is tried again whose operation could not be driven."""


class NoSlotError(Exception):
    """All slots of the backend are taken; the job goes back into the queue."""


class WrongQueueError(Exception):
    """The operation is bound to a host by now; the job goes into that host's queue.

    Attributes:
        queue: the name of that queue.
    """

    def __init__(self, queue: str) -> None:
        super().__init__(queue)
        self.queue = queue


class RetryAlways(BaseRetryStrategy):
    """Puts every job back that did not come to its end: the store alone says what has ended."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        """Return when the job is tried again: at once, or after a fault later and later.

        It loses its slot: the lock that it gets instead is its own.
        """
        delay = timedelta()
        if not isinstance(exception, _NO_FAULTS):
            delay = min(timedelta(seconds=2 ** min(job.attempts, 10)), _LONGEST_DELAY)
        queue = exception.queue if isinstance(exception, WrongQueueError) else None
        return RetryDecision(retry_at=datetime.now(UTC) + delay, lock=f"job {job.id}", queue=queue)


_NO_FAULTS: Final = (NoSlotError, WrongQueueError, RunnerClosed, asyncio.CancelledError)


class OperationDriver:
    """Drives the operations of jobs with the runner of this process.

    Args:
        runner: drives them.
        slots: limits them.
        pause_queue: is called with the name of a queue whose jobs have no slot now.

    Attributes:
        jobs: the ids of the jobs that are at work here.
    """

    def __init__(self, runner: Runner, slots: Slots, pause_queue: Callable[[str], None]) -> None:
        self.jobs: set[int] = set()
        self._runner = runner
        self._slots = slots
        self._pause_queue = pause_queue
        self._threads = concurrent.futures.ThreadPoolExecutor(8, "karbor-backup-worker")

    async def drive(self, context: JobContext, operation_id: str, backend: str) -> None:
        """Drive an operation to its end, unless another process does.

        Args:
            context: has the job.
            operation_id: the operation.
            backend: the configured name of its backend.

        Raises:
            BaseException: the job is to be tried again; see ``RetryAlways``.
        """
        job = context.job
        job_id = fetched_id(job)
        self.jobs.add(job_id)
        try:
            if not await self._slots.take(job_id, backend):
                self._pause_queue(job.queue)
                raise NoSlotError
            await self._wait_for_end(operation_id)
        finally:
            self.jobs.discard(job_id)

    def close(self) -> None:
        """Take up no operation any more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _wait_for_end(self, operation_id: str) -> None:
        while True:
            try:
                future = await self._run(self._take_up, operation_id)
                if future is not None:
                    await future
            except Conflict as error:
                # The sweep queues it again if that process does not bring it to its end.
                _log.info("operation %s is left to another process: %s", operation_id, error)
            except UnknownOperation:
                _log.info("operation %s is not in the store any more", operation_id)
            except StoreError as error:
                _log.debug("operation %s waits for the store: %s", operation_id, error)
                await asyncio.sleep(_STORE_RETRY_SECONDS)
                continue
            except RunnerClosed:
                raise
            except WrongPlace as error:
                raise WrongQueueError(queue_of(self._runner.operation(operation_id))) from error
            except KarborBackupError as error:
                _log.warning("operation %s cannot be driven now: %s", operation_id, error)
                raise
            return

    def _take_up(self, operation_id: str) -> OperationFuture | None:
        """Resume an operation; None if it is over, or waits for a person to resume it."""
        operation: Operation = self._runner.operation(operation_id)
        return None if operation.finished else self._runner.resume(operation_id)

    async def _run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)
