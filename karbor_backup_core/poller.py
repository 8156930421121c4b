"""Polls one backend for all of its running operations, one poll at a time."""

import sched
import threading
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta

import attrs

from karbor_backup_core.agenda import Agenda
from karbor_backup_core.driver import Driver
from karbor_backup_core.errors import KarborBackupError, Transient
from karbor_backup_core.lifecycle import Call, next_call
from karbor_backup_core.model import Operation
from karbor_backup_core.pace import Pace


@attrs.frozen
class Listener:
    """Who hears of what a poll brought.

    Attributes:
        go_on: takes an operation for which something other than a poll comes next.
        note: hears of an operation as it is stored now.
        lose: hears of an operation that cannot be gone on with, and why.
    """

    go_on: Callable[[Operation], None]
    note: Callable[[Operation], None]
    lose: Callable[[str, BaseException], None]


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
        self._next = (self._agenda.after(delay, lambda: self._submit(self._poll)), due)

    def _poll(self) -> None:
        with self._lock:
            if self._polling:
                return
            self._polling, self._next = True, None
            operations, self._waiting = self._waiting, {}
        began = self._driver.clock()
        try:
            error = self._ask(operations)
        except BaseException as broken:  # noqa: BLE001 - whatever it is, somebody waits for these
            for operation_id in operations:
                self._listener.lose(operation_id, broken)
            error = None
        with self._lock:
            self._polling = False
            self._pace.took(self._driver.clock() - began)
            self._failures = self._failures + 1 if error else 0
            refused = error is not None and not isinstance(error, Transient)
            self._refusals = self._refusals + 1 if refused else 0
            if self._waiting:
                self._schedule(self._pause(self._waiting.values()))

    def _ask(self, operations: Mapping[str, Operation]) -> KarborBackupError | None:
        """Make the poll and hand every operation on; answer why nothing could be asked."""
        remaining = dict(operations)
        for operation_id in self._driver.store.cancel_requests(self._driver.owner):
            held = remaining.get(operation_id)
            if held is not None and not held.cancel_requested:
                del remaining[operation_id]
                self._listener.go_on(self._driver.store.operation(operation_id))
        polled = self._driver.poll(self._name, list(remaining.values()))
        for operation_id, reason in polled.lost.items():
            self._listener.lose(operation_id, reason)
        now = self._driver.clock()
        for operation in polled.operations:
            if operation is not remaining[operation.id]:
                self._listener.note(operation)
            if next_call(operation, now) is Call.POLL:
                with self._lock:
                    self._waiting[operation.id] = operation
            else:
                self._pace.ended(remaining[operation.id], now)
                self._listener.go_on(operation)
        return polled.error

    def _pause(self, operations: Collection[Operation]) -> timedelta:
        """Return the time until the next poll: none passes a limit of these operations."""
        lifecycle, now = self._driver.lifecycle, self._driver.clock()
        if self._refusals:
            pause = lifecycle.refusal_delay(self._refusals)
        elif self._failures:
            pause = lifecycle.retry_delay(self._failures)
        else:
            pause = self._pace.pause(operations, now)
        limits = (lifecycle.next_limit(operation, now) - now for operation in operations)
        return min([pause, *(limit for limit in limits if limit > timedelta())])
