"""Polls one backend for all of its running operations, one poll at a time."""

import logging
import sched
import threading
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta

import attrs

from karbor_backup_core._errors import KarborBackupError, StoreError, Transient
from karbor_backup_core._execution.driver import Driver
from karbor_backup_core._execution.poll_interval import PollInterval
from karbor_backup_core._execution.timer import Timer
from karbor_backup_core._lifecycle.state_machine import Call, next_call
from karbor_backup_core._model import Operation

_log = logging.getLogger("karbor_backup.runner")


@attrs.frozen
class PollCallbacks:
    """The callbacks for the results of a poll.

    Attributes:
        on_ready: is called with an operation whose next call is not a poll.
        on_update: is called with an operation as it is stored now.
        on_error: is called with the id of an operation that cannot be driven any more, and why.
        on_store_failure: is called with the id of an operation whose progress could not be
            stored, and why; it is polled again.
    """

    on_ready: Callable[[Operation], None]
    on_update: Callable[[Operation], None]
    on_error: Callable[[str, BaseException], None]
    on_store_failure: Callable[[str, StoreError], object]


class BackendPoller:
    """Polls the running operations of one backend.

    An operation is either here, or in the poll under way, or with the receiver of ``on_ready``:
    never in two of them, so that no two threads ever write it.

    Args:
        name: the backend's configured name.
        driver: makes the poll.
        timer: calls functions after a delay.
        submit: runs a poll in a thread.
        callbacks: are called with the results.
    """

    def __init__(
        self,
        name: str,
        driver: Driver,
        timer: Timer,
        submit: Callable[[Callable[[], None]], None],
        callbacks: PollCallbacks,
    ) -> None:
        self._name = name
        self._driver = driver
        self._timer = timer
        self._submit = submit
        self._callbacks = callbacks
        self._interval = PollInterval(driver.lifecycle.policy)
        self._lock = threading.Lock()
        self._waiting: dict[str, Operation] = {}
        self._polling = False
        self._failures = 0
        self._refusals = 0
        self._store_failures = 0
        self._next: tuple[sched.Event, float] | None = None

    def watch(self, operation: Operation) -> None:
        """Include this operation in the polls from now on."""
        with self._lock:
            self._waiting[operation.id] = operation
            if not self._polling:
                self._schedule(self._next_delay([operation]))

    def poll_soon(self) -> None:
        """Poll as soon as possible, because a cancel was requested."""
        with self._lock:
            if self._waiting and not self._polling:
                self._schedule(timedelta())

    def _schedule(self, delay: timedelta) -> None:
        """Poll after that delay, unless an earlier poll is scheduled; needs the lock."""
        due = self._driver.clock().timestamp() + delay.total_seconds()
        if self._next is not None:
            event, planned = self._next
            if planned <= due:
                return
            self._timer.cancel(event)
        self._next = (self._timer.schedule(delay, self._submit_poll), due)

    def _submit_poll(self) -> None:
        try:
            self._submit(self._poll)
        except RuntimeError as error:  # no thread can be started now
            _log.error("a poll of backend %s has to wait: %s", self._name, error)
            with self._lock:
                self._next = None
                self._store_failures += 1
                self._schedule(self._next_delay(self._waiting.values()))

    def _poll(self) -> None:
        with self._lock:
            if self._polling:
                return
            self._polling, self._next = True, None
            operations, self._waiting = self._waiting, {}
        began = self._driver.clock()
        asked, stored = self._poll_apart_from_faulty(operations)
        with self._lock:
            self._polling = False
            self._interval.record_poll(self._driver.clock() - began)
            self._failures = self._failures + 1 if asked else 0
            refused = asked is not None and not isinstance(asked, Transient)
            self._refusals = self._refusals + 1 if refused else 0
            self._store_failures = self._store_failures + 1 if stored else 0
            if self._waiting:
                self._schedule(self._next_delay(self._waiting.values()))

    def _poll_apart_from_faulty(
        self, operations: dict[str, Operation]
    ) -> tuple[KarborBackupError | None, StoreError | None]:
        """Make the poll; after an unexpected exception, make it for each half separately.

        So an operation that cannot be polled is dropped without the others, after a number of polls
        that grows with the logarithm of their number.

        Returns:
            Why nothing could be asked, and why something could not be stored.
        """
        remaining = dict(operations)
        try:
            return self._poll_and_dispatch(remaining)
        except StoreError as error:
            self._requeue(remaining, error)
            return None, error
        except BaseException as broken:  # noqa: BLE001 - whatever it is, the waiters must get it
            if len(operations) == 1:
                for operation_id in remaining:
                    self._callbacks.on_error(operation_id, broken)
                return None, None
            _log.exception("a poll of backend %s failed, and is made in two halves", self._name)
        left = list(remaining.items())
        halves = (left[: (len(left) + 1) // 2], left[(len(left) + 1) // 2 :])
        results = [self._poll_apart_from_faulty(dict(half)) for half in halves if half]
        asked = next((error for error, _ in results if error), None)
        return asked, next((error for _, error in results if error), None)

    def _requeue(self, operations: Mapping[str, Operation], error: StoreError) -> None:
        """Poll again for operations for which the store could not be used."""
        level = logging.DEBUG if self._store_failures else logging.WARNING
        _log.log(level, "backend %s is polled when the store is back: %s", self._name, error)
        with self._lock:
            self._waiting = {**operations, **self._waiting}
        for operation_id in operations:
            self._callbacks.on_store_failure(operation_id, error)

    def _poll_and_dispatch(
        self, remaining: dict[str, Operation]
    ) -> tuple[KarborBackupError | None, StoreError | None]:
        """Make the poll and pass every operation on; remove what was passed on from the batch.

        Returns:
            Why nothing could be asked, and why something could not be stored.

        Raises:
            StoreError: the store could not be used; no poll was made.
        """
        for operation_id in self._driver.store.cancel_requests(self._driver.owner):
            held = remaining.get(operation_id)
            if held is None or held.cancel_requested:
                continue
            try:
                heard = self._driver.store.operation(operation_id)
            except KarborBackupError as error:  # its own next write reports it
                _log.warning("operation %s could not be read: %s", operation_id, error)
                continue
            self._callbacks.on_ready(heard)
            del remaining[operation_id]
        polled = self._driver.poll(self._name, list(remaining.values()))
        for operation_id, reason in polled.lost.items():
            self._callbacks.on_error(operation_id, reason)
            del remaining[operation_id]
        for operation_id, fault in polled.unsaved.items():
            self._callbacks.on_store_failure(operation_id, fault)
        now = self._driver.clock()
        for operation in polled.operations:
            before = remaining[operation.id]
            if operation is not before:
                self._callbacks.on_update(operation)
            if operation.id in polled.unsaved or next_call(operation, now) is Call.POLL:
                with self._lock:
                    self._waiting[operation.id] = operation
            else:
                self._interval.record_completion(before, now)
                self._callbacks.on_ready(operation)
            del remaining[operation.id]
        return polled.error, next(iter(polled.unsaved.values()), None)

    def _next_delay(self, operations: Collection[Operation]) -> timedelta:
        """Return the delay before the next poll: none passes a limit of an operation."""
        lifecycle, now = self._driver.lifecycle, self._driver.clock()
        if self._refusals:
            pause = lifecycle.refusal_delay(self._refusals)
        elif self._failures:
            pause = lifecycle.retry_delay(self._failures)
        elif self._store_failures:
            pause = lifecycle.store_retry_delay(self._store_failures)
        else:
            pause = self._interval.next_delay(operations, now)
        limits = (lifecycle.next_limit(operation, now) - now for operation in operations)
        return min([pause, *(limit for limit in limits if limit > timedelta())])
