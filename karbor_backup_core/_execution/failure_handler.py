"""Handles store failures of a runner, and operations that it cannot continue.

A failed store access is repeated silently for as long as the lease allows. After that the waiters
get the error, and the runner goes on trying: an operation that no other process has acquired by
then continues. An operation is dropped only when another process owns it, or when its next step
raises something other than a store failure; then its ownership is released in the store, so that
another process can acquire it although this one lives.
"""

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

import tenacity

from karbor_backup_core._errors import (
    Busy,
    Conflict,
    KarborBackupError,
    StoreError,
    UnknownOperation,
)
from karbor_backup_core._execution.active_operations import ActiveOperations
from karbor_backup_core._execution.driver import Driver
from karbor_backup_core._model import Operation

_log = logging.getLogger("karbor_backup.runner")

T = TypeVar("T")


class FailureHandler:
    """Counts store failures per operation, and reports operations that are lost.

    Args:
        driver: gives access to the store and the policy.
        active: the operations and their waiters.
        on_lost: is called with each operation that cannot continue, and why.
    """

    def __init__(
        self,
        driver: Driver,
        active: ActiveOperations,
        on_lost: Callable[[Operation, BaseException], None] | None,
    ) -> None:
        self._driver = driver
        self._active = active
        self._on_lost = on_lost
        self._lock = threading.Lock()
        self._failing: dict[str, tuple[datetime, int]] = {}
        self._to_release: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._to_release)

    def write_with_retries(self, operation_id: str, write: Callable[[], T]) -> T:
        """Make the first write of an operation, repeated for a third of a lease.

        Args:
            operation_id: the operation; it is released if it was stored although the write failed.
            write: may be repeated after a StoreError that is no conflict.

        Raises:
            StoreError: the store could not be used for all that time.
        """
        try:
            return write()
        except (Conflict, Busy):
            raise
        except StoreError as error:
            _log.warning("operation %s is stored when the store is back: %s", operation_id, error)
        policy = self._driver.lifecycle.policy
        repeating = tenacity.Retrying(
            retry=tenacity.retry_if_exception(_is_retryable),
            stop=tenacity.stop_after_delay(policy.lease.total_seconds() / 3),
            wait=tenacity.wait_random_exponential(
                multiplier=min(policy.retry_first.total_seconds(), 0.5), max=2
            ),
            reraise=True,
        )
        try:
            return repeating(write)
        except StoreError as error:
            if _is_retryable(error):
                with self._lock:
                    self._to_release.add(operation_id)
            raise

    def record_store_failure(self, operation_id: str, error: StoreError) -> timedelta:
        """Record that an operation waits for the store; report it once that takes too long.

        Returns:
            The delay before the store is tried again.
        """
        now, policy = self._driver.clock(), self._driver.lifecycle.policy
        with self._lock:
            since, failures = self._failing.get(operation_id, (now, 0))
            self._failing[operation_id] = since, failures + 1
        if failures == 0:
            _log.warning("operation %s waits for the store: %s", operation_id, error)
        if now - since >= policy.lease:
            self._report(self._active.fail_waiters(operation_id, error), error)
        return self._driver.lifecycle.store_retry_delay(failures + 1)

    def clear_store_failure(self, operation_id: str) -> None:
        """Record that an operation has been stored."""
        if self._failing:
            with self._lock:
                self._failing.pop(operation_id, None)

    def report_lease_expired(self, error: StoreError) -> None:
        """Report for all operations that the lease has expired and cannot be renewed."""
        for operation_id in self._active.ids():
            self._report(self._active.fail_waiters(operation_id, error), error)

    def drop_operation(self, operation_id: str, error: BaseException) -> None:
        """Drop an operation that cannot continue, and wake its waiters."""
        if not isinstance(error, KarborBackupError):
            _log.error("operation %s cannot be gone on with", operation_id, exc_info=error)
        self.clear_store_failure(operation_id)
        if not isinstance(error, Conflict):
            with self._lock:
                self._to_release.add(operation_id)
        self._report(self._active.fail(operation_id, error), error)

    def release_dropped(self) -> None:
        """Release dropped operations that this process still owns in the store.

        An operation that cannot be released now is tried again with the next call, after the
        others.
        """
        with self._lock:
            waiting = list(self._to_release)
        for operation_id in waiting:
            if operation_id not in self._active:
                try:
                    self._driver.release_lease(self._driver.store.operation(operation_id))
                except (Conflict, UnknownOperation) as gone:
                    _log.debug("operation %s is not held any more: %s", operation_id, gone)
                except StoreError as error:
                    _log.warning("operation %s is still held: %s", operation_id, error)
                    continue
            with self._lock:
                self._to_release.discard(operation_id)

    def _report(self, operation: Operation | None, error: BaseException) -> None:
        if operation is None or self._on_lost is None:
            return
        try:
            self._on_lost(operation, error)
        except Exception:  # noqa: BLE001 - a listener must not stop an operation
            _log.exception("on_lost failed for operation %s", operation.id)


def _is_retryable(error: BaseException) -> bool:
    return isinstance(error, StoreError) and not isinstance(error, Conflict | Busy)
