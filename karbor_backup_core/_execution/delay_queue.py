"""Operations that wait for their ``not_before``, for room, or for a cancel."""

import functools
import logging
import sched
import threading
from collections.abc import Callable
from datetime import datetime

from karbor_backup_core._errors import KarborBackupError, StoreError
from karbor_backup_core._execution.driver import Driver
from karbor_backup_core._execution.timer import Timer
from karbor_backup_core._model import Operation

_log = logging.getLogger("karbor_backup.runner")


class DelayQueue:
    """Keeps operations until their ``not_before``, or another instant.

    Args:
        driver: gives access to the clock and the store.
        timer: calls functions after a delay.
        on_ready: is called with an operation whose instant has passed or that was cancelled.
        submit_task: runs a short task in the housekeeping thread.
    """

    def __init__(
        self,
        driver: Driver,
        timer: Timer,
        on_ready: Callable[[Operation], None],
        submit_task: Callable[[Callable[[], None]], None],
    ) -> None:
        self._driver = driver
        self._timer = timer
        self._on_ready = on_ready
        self._submit_task = submit_task
        self._lock = threading.Lock()
        self._waiting: dict[str, tuple[sched.Event, Operation]] = {}
        self._check_is_due = False

    def put(self, operation: Operation, until: datetime | None = None) -> None:
        """Pass an operation on at an instant, or if that is None at its ``not_before``."""
        now = self._driver.clock()
        delay = (until or operation.retry.not_before or now) - now
        with self._lock:
            event = self._timer.schedule(delay, functools.partial(self._on_due, operation))
            self._waiting[operation.id] = event, operation
            already, self._check_is_due = self._check_is_due, True
        # A cancel may have been written since the operation was read. One query of the store serves
        # all operations that were added before it.
        if not already:
            self._submit_task(self.check_cancel_requests)

    def pass_on(self, operation_id: str) -> None:
        """Pass an operation on at once, if it waits here."""
        with self._lock:
            event, operation = self._waiting.pop(operation_id, (None, None))
        if event is not None and operation is not None and self._timer.cancel(event):
            self._on_ready(operation)

    def check_cancel_requests(self) -> None:
        """Pass on at once each operation for which a cancel was requested.

        After a store error the next lease renewal checks again.
        """
        with self._lock:
            self._check_is_due = False
        try:
            requested = self._driver.store.cancel_requests(self._driver.owner)
        except StoreError as error:
            _log.warning(
                "cancels will be asked for when the leases are renewed next, not now: %s", error
            )
            return
        for operation_id in requested:
            with self._lock:
                event, operation = self._waiting.get(operation_id, (None, None))
                if event is None or operation is None or operation.cancel_requested:
                    continue
                del self._waiting[operation_id]
            if self._timer.cancel(event):
                self._on_ready(self._reread(operation))

    def flush(self) -> None:
        """Pass on all operations at once, because they may have changed in the store."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        for event, operation in waiting.values():
            if self._timer.cancel(event):
                self._on_ready(operation)

    def _reread(self, operation: Operation) -> Operation:
        """Read an operation again; return the known version where it cannot be read now."""
        try:
            return self._driver.store.operation(operation.id)
        except KarborBackupError as error:
            _log.warning("operation %s could not be read: %s", operation.id, error)
            return operation

    def _on_due(self, operation: Operation) -> None:
        with self._lock:
            self._waiting.pop(operation.id, None)
        self._on_ready(operation)
