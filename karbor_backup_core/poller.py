"""Polls one backend for all of its running operations, one poll at a time."""

import logging
import sched
import threading
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta

import attrs

from karbor_backup_core.agenda import Agenda
from karbor_backup_core.driver import Driver
from karbor_backup_core.errors import KarborBackupError, StoreError, Transient
from karbor_backup_core.lifecycle import Call, next_call
from karbor_backup_core.model import Operation
from karbor_backup_core.pace import Pace

_log = logging.getLogger("karbor_backup.runner")


@attrs.frozen
class Listener:
    """Who hears of what a poll brought.

    Attributes:
        go_on: takes an operation for which something other than a poll comes next.
        note: hears of an operation as it is stored now.
        lose: hears of an operation that cannot be gone on with, and why.
        defer: hears of an operation whose news could not be stored, and why; it is polled for
            again.
    """

    go_on: Callable[[Operation], None]
    note: Callable[[Operation], None]
    lose: Callable[[str, BaseException], None]
    defer: Callable[[str, StoreError], object]


class Poller:
    """Holds the operations of one backend whose work goes on outside.

    An operation is either here, or with the poll under way, or with whoever ``go_on`` gave it to:
    never in two places, so that no two threads ever write it.

    Args:
        name: the backend's configured name.
        driver: makes the poll.
        agenda: keeps the time.
        submit: runs a poll in a thread.
        listener: hears of the results.
    """

    def __init__(
        self,
        name: str,
        driver: Driver,
        agenda: Agenda,
        submit: Callable[[Callable[[], None]], None],
        listener: Listener,
    ) -> None:
        self._name = name
        self._driver = driver
        self._agenda = agenda
        self._submit = submit
        self._listener = listener
        self._pace = Pace(driver.lifecycle.policy)
        self._lock = threading.Lock()
        self._waiting: dict[str, Operation] = {}
        self._polling = False
        self._failures = 0
        self._refusals = 0
        self._store_failures = 0
        self._next: tuple[sched.Event, float] | None = None

    def add(self, operation: Operation) -> None:
        """Poll for this operation too, from now on."""
        with self._lock:
            self._waiting[operation.id] = operation
            if not self._polling:
                self._schedule(self._pause([operation]))

    def hurry(self) -> None:
        """Poll as soon as possible, because a cancel was asked for."""
        with self._lock:
            if self._waiting and not self._polling:
                self._schedule(timedelta())

    def _schedule(self, delay: timedelta) -> None:
        """Poll after that delay, unless a poll comes sooner anyway. Call it with the lock held."""
        due = self._driver.clock().timestamp() + delay.total_seconds()
        if self._next is not None:
            event, planned = self._next
            if planned <= due:
                return
            self._agenda.forget(event)
        self._next = (self._agenda.after(delay, self._begin), due)

    def _begin(self) -> None:
        try:
            self._submit(self._poll)
        except RuntimeError as error:  # no thread can be started now
            _log.error("a poll of backend %s has to wait: %s", self._name, error)
            with self._lock:
                self._next = None
                self._store_failures += 1
                self._schedule(self._pause(self._waiting.values()))

    def _poll(self) -> None:
        with self._lock:
            if self._polling:
                return
            self._polling, self._next = True, None
            operations, self._waiting = self._waiting, {}
        began = self._driver.clock()
        asked: KarborBackupError | None = None
        stored: StoreError | None = None
        remaining = dict(operations)
        try:
            asked, stored = self._ask(remaining)
        except StoreError as error:
            stored = error
            self._keep(remaining, error)
        except BaseException as broken:  # noqa: BLE001 - whatever it is, somebody waits for these
            for operation_id in remaining:
                self._listener.lose(operation_id, broken)
        with self._lock:
            self._polling = False
            self._pace.took(self._driver.clock() - began)
            self._failures = self._failures + 1 if asked else 0
            refused = asked is not None and not isinstance(asked, Transient)
            self._refusals = self._refusals + 1 if refused else 0
            self._store_failures = self._store_failures + 1 if stored else 0
            if self._waiting:
                self._schedule(self._pause(self._waiting.values()))

    def _keep(self, operations: Mapping[str, Operation], error: StoreError) -> None:
        """Poll again for operations for which the store could not be used."""
        level = logging.DEBUG if self._store_failures else logging.WARNING
        _log.log(level, "backend %s is polled when the store is back: %s", self._name, error)
        with self._lock:
            self._waiting = {**operations, **self._waiting}
        for operation_id in operations:
            self._listener.defer(operation_id, error)

    def _ask(
        self, remaining: dict[str, Operation]
    ) -> tuple[KarborBackupError | None, StoreError | None]:
        """Make the poll and hand every operation on; what has been handed on does not remain.

        Returns:
            Why nothing could be asked, and why something could not be stored.

        Raises:
            StoreError: the store could not be used; nothing was asked.
        """
        for operation_id in self._driver.store.cancel_requests(self._driver.owner):
            held = remaining.get(operation_id)
            if held is None or held.cancel_requested:
                continue
            try:
                heard = self._driver.store.operation(operation_id)
            except KarborBackupError as error:  # it is told with its own next write
                _log.warning("operation %s could not be read: %s", operation_id, error)
                continue
            del remaining[operation_id]
            self._listener.go_on(heard)
        polled = self._driver.poll(self._name, list(remaining.values()))
        for operation_id, reason in polled.lost.items():
            del remaining[operation_id]
            self._listener.lose(operation_id, reason)
        for operation_id, fault in polled.unsaved.items():
            self._listener.defer(operation_id, fault)
        now = self._driver.clock()
        for operation in polled.operations:
            before = remaining.pop(operation.id)
            if operation is not before:
                self._listener.note(operation)
            if operation.id in polled.unsaved or next_call(operation, now) is Call.POLL:
                with self._lock:
                    self._waiting[operation.id] = operation
            else:
                self._pace.ended(before, now)
                self._listener.go_on(operation)
        return polled.error, next(iter(polled.unsaved.values()), None)

    def _pause(self, operations: Collection[Operation]) -> timedelta:
        """Return the time until the next poll: none passes a limit of these operations."""
        lifecycle, now = self._driver.lifecycle, self._driver.clock()
        if self._refusals:
            pause = lifecycle.refusal_delay(self._refusals)
        elif self._failures:
            pause = lifecycle.retry_delay(self._failures)
        elif self._store_failures:
            pause = lifecycle.store_delay(self._store_failures)
        else:
            pause = self._pace.pause(operations, now)
        limits = (lifecycle.next_limit(operation, now) - now for operation in operations)
        return min([pause, *(limit for limit in limits if limit > timedelta())])
