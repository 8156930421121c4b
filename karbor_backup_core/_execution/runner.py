"""Runs many operations to their end, with threads.

A few threads make the calls that start, cancel and release work (``worker_pool``). One ``poll`` at
a time per backend asks about all of its running operations (``poller``). One thread runs the timer
(``timer``), and one does what must not wait for a backend's calls: it renews leases and reads the
cancel requests of other processes (``lease_renewer``, ``delay_queue``). No thread is started before
the first operation, so a runner may be created before a fork.
"""

import concurrent.futures
import functools
import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Self

from karbor_backup_core._backend import Backend
from karbor_backup_core._clock import Clock, SteadyClock, system_clock
from karbor_backup_core._errors import Conflict, StoreError, UnknownBackend
from karbor_backup_core._execution.active_operations import ActiveOperations
from karbor_backup_core._execution.delay_queue import DelayQueue
from karbor_backup_core._execution.driver import CallResult, Driver
from karbor_backup_core._execution.failure_handler import FailureHandler
from karbor_backup_core._execution.lease_renewer import LeaseRenewer, RenewalCallbacks
from karbor_backup_core._execution.poller import BackendPoller, PollCallbacks
from karbor_backup_core._execution.timer import Timer
from karbor_backup_core._execution.worker_pool import WorkerPool
from karbor_backup_core._lifecycle.policy import Policy
from karbor_backup_core._lifecycle.state_machine import Call, Lifecycle, next_call
from karbor_backup_core._model import Backup, Operation, Resource, Verb
from karbor_backup_core._planning import plan
from karbor_backup_core._suggestions import suggest_name
from karbor_backup_core.stores.base import Store

_log = logging.getLogger("karbor_backup.runner")


class Runner:
    """Plans, runs, cancels and resumes operations on a store and its backends.

    Use it as a context manager, or call ``close``. Every method may be called from any thread.

    Args:
        store: keeps operations and backups; the runner does not close it.
        backends: the configured backends, by name.
        policy: durations and limits.
        clock: returns the present instant; delays themselves are measured by the machine's clock.
        threads: how many calls may be under way at once, beside one poll per backend.
        on_change: is called with every operation as it is stored, from several threads.
        on_lost: is called with every operation that the runner cannot continue, as it was stored
            last, and why; from several threads. After a ``Conflict`` another process owns it. After
            another ``StoreError`` the store cannot be used; the runner continues the operation when
            the store is back, unless another process has acquired it by then.
    """

    def __init__(
        self,
        store: Store,
        backends: Mapping[str, Backend],
        *,
        policy: Policy | None = None,
        clock: Clock = system_clock,
        threads: int = 8,
        on_change: Callable[[Operation], None] | None = None,
        on_lost: Callable[[Operation, BaseException], None] | None = None,
    ) -> None:
        # The machine's clock may be stepped; a clock that the caller gives is not corrected.
        self._steady = None
        if clock is system_clock:
            clock = self._steady = SteadyClock(lambda: store.now() or system_clock())
        self._driver = Driver(store, backends, Lifecycle(policy or Policy()), clock)
        self._on_change = on_change
        self._closed = False
        self._active = ActiveOperations()
        self._timer = Timer()
        self._workers: WorkerPool[Operation | CallResult] = WorkerPool(threads, self._advance)
        self._failure_handler = FailureHandler(self._driver, self._active, on_lost)
        self._housekeeping = concurrent.futures.ThreadPoolExecutor(1, "karbor-backup-housekeeping")
        submit_task = functools.partial(self._submit, self._housekeeping)
        self._delay_queue = DelayQueue(self._driver, self._timer, self._workers.submit, submit_task)
        renewal_callbacks = RenewalCallbacks(
            is_needed=lambda: bool(self._active or self._failure_handler),
            on_renewed=self._on_lease_renewed,
            on_expired=self._failure_handler.report_lease_expired,
            on_new_owner=self._delay_queue.flush,
        )
        self._lease_renewer = LeaseRenewer(
            self._driver, self._timer, submit_task, renewal_callbacks
        )
        self._polls = concurrent.futures.ThreadPoolExecutor(
            max(1, len(backends)), "karbor-backup-poll"
        )
        poll = functools.partial(self._submit, self._polls)
        poll_callbacks = PollCallbacks(
            on_ready=self._workers.submit,
            on_update=self._on_stored,
            on_error=self._failure_handler.drop_operation,
            on_store_failure=self._failure_handler.record_store_failure,
        )
        self._pollers = {
            name: BackendPoller(name, self._driver, self._timer, poll, poll_callbacks)
            for name in backends
        }

    def __enter__(self) -> Self:
        """Return the runner itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the runner."""
        self.close()

    def begin(
        self,
        backend: str,
        verb: Verb,
        target: Resource | Backup,
        options: Mapping[str, Any] | None = None,
        *,
        deadline: timedelta | None = None,
    ) -> Operation:
        """Plan an operation, store it and start it; ``wait`` waits for its end.

        Args:
            backend: the configured name of the backend.
            verb: what to do.
            target: the resource to protect, or the backup to restore, delete or verify.
            options: by the backend's schema for this verb and type.
            deadline: the time until its deadline; the policy's when None.

        Returns:
            The operation as stored; one of a covered resource has ended already.

        Raises:
            UnknownBackend: no backend of that name is configured.
            KarborBackupError: everything that ``planning.plan`` refuses, and ``StoreError``.
        """
        if self._steady is not None and not self._active:
            self._steady.reset()
        planned = plan(
            self._get_backend(backend),
            verb,
            target,
            options,
            now=self._driver.clock(),
            deadline=deadline or self._driver.lifecycle.policy.deadline,
        )
        added = self._failure_handler.write_with_retries(
            planned.id, lambda: self._driver.add(planned)
        )
        if added.finished:
            self._on_stored(added)
        else:
            self._activate(added)
        return added

    def resume(self, operation_id: str) -> Operation:
        """Resume an operation that no process drives; a suspended one gets a new grace period.

        Raises:
            UnknownOperation: there is no such operation.
            Conflict: another process drives it.
            WrongScope: its backend is configured for another endpoint or project now.
            UnknownBackend: its backend is not configured here.
            BackendError: the backend cannot determine its scope now.
        """
        operation = self._driver.store.operation(operation_id)
        if operation_id in self._active or (operation.finished and not operation.suspended):
            return operation
        if self._steady is not None and not self._active:
            self._steady.reset()
        taken = self._failure_handler.write_with_retries(
            operation_id, lambda: self._driver.acquire(operation)
        )
        self._activate(taken)
        return taken

    def cancel(self, operation_id: str) -> Operation:
        """Request the cancellation of an operation, whichever process drives it.

        Raises:
            UnknownOperation: there is no such operation.
        """
        operation = self._driver.request_cancel(operation_id)
        self._delay_queue.try_check_cancel_requests()
        if operation.backend in self._pollers:
            self._pollers[operation.backend].poll_soon()
        return operation

    def wait(self, operation_id: str, timeout: float | None = None) -> Operation:
        """Wait until an operation is finished: released, or suspended until somebody resumes it.

        Args:
            operation_id: one that this runner started or resumed.
            timeout: seconds to wait at most; None waits for the end.

        Returns:
            The operation in its present state, finished or not.

        Raises:
            Conflict: another process has taken it over.
            StoreError: the store could not be used for the duration of a lease. The runner
                continues the operation when the store is back, and then it can be waited for again.
            BaseException: any other error that kept the runner from continuing it.
        """
        finished = self._active.wait(operation_id, timeout)
        return finished or self._driver.store.operation(operation_id)

    def close(self) -> None:
        """Finish the calls under way, start no more, and release the ownership of all operations.

        Unfinished operations stay in the store; ``resume`` continues them, here or elsewhere.
        """
        self._closed = True
        self._timer.close()
        self._workers.close()
        for pool in (self._polls, self._housekeeping):
            pool.shutdown(wait=True, cancel_futures=True)
        for operation in self._active.clear():
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
        self._active.wake_all()

    def _get_backend(self, name: str) -> Backend:
        try:
            return self._driver.backends[name]
        except KeyError:
            known = ", ".join(sorted(self._driver.backends)) or "none"
            raise UnknownBackend(
                f"backend {name!r} is not configured: "
                f"{suggest_name(name, self._driver.backends)}there are: {known}"
            ) from None

    def _activate(self, operation: Operation) -> None:
        self._active.register(operation)
        self._on_stored(operation)
        self._lease_renewer.start()
        self._workers.submit(operation)

    def _advance(self, item: Operation | CallResult) -> None:
        """Make one call after the other, until the operation has to wait."""
        operation = item.operation if isinstance(item, CallResult) else item
        try:
            if isinstance(item, CallResult):
                operation = self._store_result(item)
            while not self._closed:
                match next_call(operation, self._driver.clock()):
                    case Call.NOTHING:
                        return self._active.finish(operation)
                    case Call.WAIT:
                        return self._delay_queue.put(operation)
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

    def _store_result(self, result: CallResult) -> Operation:
        operation = self._driver.store_result(result)
        self._on_stored(operation)
        return operation

    def _on_stored(self, operation: Operation) -> None:
        self._active.update(operation)
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
            if not self._closed:
                raise
