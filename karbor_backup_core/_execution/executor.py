"""Drives operations to their end with threads; the inside of a runner.

A few threads make the calls that start, cancel and release work (``worker_pool``). One ``poll`` at
a time per backend asks about all of its running operations (``poller``). One thread runs the timer
(``timer``), and one does what must not wait for a backend's calls: it renews leases and reads the
cancel requests of other processes (``lease_renewer``, ``delay_queue``). No thread is started before
the first operation, so a runner may be created before a fork.
"""

import concurrent.futures
import functools
import logging
import sys
from collections.abc import Callable
from typing import TypeVar

from karbor_backup_core._errors import Conflict, StoreError
from karbor_backup_core._execution.active_operations import ActiveOperations
from karbor_backup_core._execution.delay_queue import DelayQueue
from karbor_backup_core._execution.driver import CallResult, Driver
from karbor_backup_core._execution.failure_handler import FailureHandler
from karbor_backup_core._execution.lease_renewer import LeaseRenewer, RenewalCallbacks
from karbor_backup_core._execution.operation_future import OperationFuture
from karbor_backup_core._execution.poller import BackendPoller, PollCallbacks
from karbor_backup_core._execution.timer import Timer
from karbor_backup_core._execution.work_queue import WorkQueue
from karbor_backup_core._execution.worker_pool import WorkerPool
from karbor_backup_core._lifecycle.changes import is_stopping
from karbor_backup_core._lifecycle.state_machine import Call, next_call
from karbor_backup_core._model import Operation, State

T = TypeVar("T")

_log = logging.getLogger("karbor_backup.runner")


class Executor:
    """Drives the operations of one runner.

    Args:
        driver: makes the calls and stores their results.
        threads: how many calls may be under way at once, beside one poll per backend.
        on_change: as for ``Runner``.
        on_lost: as for ``Runner``.

    Attributes:
        active: the operations that are driven.
        closed: whether it drives none any more.
    """

    def __init__(
        self,
        driver: Driver,
        threads: int,
        on_change: Callable[[Operation], None] | None,
        on_lost: Callable[[Operation, BaseException], None] | None,
    ) -> None:
        self.closed = False
        self._driver = driver
        self._on_change = on_change
        self._timer = Timer()
        self._workers: WorkerPool[Operation | CallResult] = WorkerPool(threads, self._advance)
        self._housekeeping = concurrent.futures.ThreadPoolExecutor(1, "karbor-backup-housekeeping")
        submit_task = functools.partial(self._submit, self._housekeeping)
        self._delay_queue = DelayQueue(driver, self._timer, self._workers.submit, submit_task)
        self._work_queues = {
            name: WorkQueue(each.info.work_limit or sys.maxsize, self._delay_queue.pass_on)
            for name, each in driver.backends.items()
        }
        self.active = ActiveOperations(self._leave_work_queue)
        self._failure_handler = FailureHandler(driver, self.active, on_lost)
        renewal_callbacks = RenewalCallbacks(
            is_needed=lambda: bool(self.active or self._failure_handler),
            on_renewed=self._on_lease_renewed,
            on_expired=self._failure_handler.report_lease_expired,
            on_new_owner=self._delay_queue.flush,
        )
        self._lease_renewer = LeaseRenewer(driver, self._timer, submit_task, renewal_callbacks)
        self._polls = concurrent.futures.ThreadPoolExecutor(
            max(1, len(driver.backends)), "karbor-backup-poll"
        )
        poll = functools.partial(self._submit, self._polls)
        poll_callbacks = PollCallbacks(
            on_ready=self._workers.submit,
            on_update=self._on_stored,
            on_error=self._failure_handler.drop_operation,
            on_store_failure=self._failure_handler.record_store_failure,
        )
        self._pollers = {
            name: BackendPoller(name, driver, self._timer, poll, poll_callbacks)
            for name in driver.backends
        }

    def write_with_retries(self, operation_id: str, write: Callable[[], T]) -> T:
        """Make the first write of an operation (see ``FailureHandler``)."""
        return self._failure_handler.write_with_retries(operation_id, write)

    def drive(self, operation: Operation) -> OperationFuture:
        """Drive an operation that this process owns.

        Raises:
            RunnerClosed: it is closed.
        """
        future = self.active.register(operation)
        if operation.state is not State.PLANNED:
            self._work_queues[operation.backend].count(operation.id)
        self._on_stored(operation)
        self._lease_renewer.start()
        self._workers.submit(operation)
        return future

    def report(self, operation: Operation) -> OperationFuture:
        """Report an operation that was finished as soon as it was planned."""
        self._on_stored(operation)
        return finished_future(operation)

    def heed_cancel(self, operation: Operation) -> None:
        """Let a cancel that was requested just now take effect soon."""
        self._delay_queue.check_cancel_requests()
        if operation.backend in self._pollers:
            self._pollers[operation.backend].poll_soon()

    def close(self) -> None:
        """Finish the calls under way, start no more, and release the ownership of operations."""
        self.closed = True
        self._timer.close()
        self._workers.close()
        for pool in (self._polls, self._housekeeping):
            pool.shutdown(wait=True, cancel_futures=True)
        for operation in self.active.close():
            try:
                self._driver.release_lease(operation)
            except Conflict:
                _log.info("operation %s has been taken by another process", operation.id)
            except StoreError as error:
                _log.warning("operation %s is held until its lease ends: %s", operation.id, error)
        try:
            self._driver.lease.give_up()
        except StoreError as error:
            _log.warning("the lease of %s has to run out: %s", self._driver.owner, error)
        self.active.wake_all()

    def _advance(self, item: Operation | CallResult) -> None:
        """Make one call after the other, until the operation has to wait."""
        operation = item.operation if isinstance(item, CallResult) else item
        try:
            if isinstance(item, CallResult):
                operation = self._store_result(item)
            while not self.closed:
                match next_call(operation, self._driver.clock()):
                    case Call.NOTHING:
                        return self.active.finish(operation)
                    case Call.WAIT:
                        item = operation
                        # Under a lease that has run out, nobody would hear of a cancel.
                        return self._delay(self._driver.ensure_owned(operation))
                    case Call.ADVANCE if self._has_to_queue(operation):
                        return self._queue(operation)
                    case Call.POLL:
                        return self._pollers[operation.backend].watch(operation)
                    case _:
                        item = operation  # repeated if the lease cannot be renewed
                        item = self._driver.make_call(operation)
                        operation = self._store_result(item)
        except Conflict as error:
            self._failure_handler.drop_operation(operation.id, error)
        except StoreError as error:
            # The result of a call is never dropped: it is stored when the store is back.
            delay = self._failure_handler.record_store_failure(operation.id, error)
            self._timer.schedule(delay, functools.partial(self._workers.submit, item))
        except BaseException as error:  # noqa: BLE001 - whatever it is, the waiters must get it
            self._failure_handler.drop_operation(operation.id, error)

    def _delay(self, operation: Operation) -> None:
        if operation.state is State.PLANNED:
            self._leave_work_queue(operation)  # others need not wait for what does not begin
        self._delay_queue.put(operation)

    def _has_to_queue(self, operation: Operation) -> bool:
        """Return whether an operation waits for others; one that is to stop waits for none."""
        stopping = is_stopping(operation, self._driver.clock())
        return not stopping and not self._work_queues[operation.backend].admit(operation.id)

    def _queue(self, operation: Operation) -> None:
        """Note that an operation waits, and keep it until there is room or its deadline passes."""
        queue = self._work_queues[operation.backend]
        operation = self._driver.queue(operation, queue.limit)
        self._on_stored(operation)
        self._delay_queue.put(operation, operation.deadline)
        # It may have been admitted before it could be passed on.
        if queue.is_admitted(operation.id):
            self._delay_queue.pass_on(operation.id)

    def _leave_work_queue(self, operation: Operation) -> None:
        self._work_queues[operation.backend].leave(operation.id)

    def _store_result(self, result: CallResult) -> Operation:
        operation = self._driver.store_result(result)
        self._on_stored(operation)
        return operation

    def _on_stored(self, operation: Operation) -> None:
        self.active.update(operation)
        self._failure_handler.clear_store_failure(operation.id)
        if self._on_change is None:
            return
        try:
            self._on_change(operation)
        except Exception:  # noqa: BLE001 - a listener must not stop an operation
            _log.exception("on_change failed for operation %s", operation.id)

    def _on_lease_renewed(self) -> None:
        self._failure_handler.release_dropped()
        self._delay_queue.check_cancel_requests()

    def _submit(
        self, pool: concurrent.futures.ThreadPoolExecutor, action: Callable[[], None]
    ) -> None:
        try:
            pool.submit(action)
        except RuntimeError:
            if not self.closed:
                raise


def finished_future(operation: Operation) -> OperationFuture:
    """Create a future that is done."""
    future = OperationFuture(operation)
    future.set_result(operation)
    return future
