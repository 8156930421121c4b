"""Operations that wait for their ``not_before``, unless they are cancelled first."""

import functools
import logging
import sched
import threading
from collections.abc import Callable

from karbor_backup_core.agenda import Agenda
from karbor_backup_core.driver import Driver
from karbor_backup_core.errors import KarborBackupError, StoreError
from karbor_backup_core.model import Operation

_log = logging.getLogger("karbor_backup.runner")


class Delays:
    """Holds operations until their time has come.

    Args:
        driver: tells the time, and knows the store.
        agenda: keeps the time.
        go_on: takes an operation whose time has come, or that has been cancelled.
        errand: runs something small in a thread that errands take turns at.
    """

    def __init__(
        self,
        driver: Driver,
        agenda: Agenda,
        go_on: Callable[[Operation], None],
        errand: Callable[[Callable[[], None]], None],
    ) -> None:
        self._driver = driver
        self._agenda = agenda
        self._go_on = go_on
        self._errand = errand
        self._lock = threading.Lock()
        self._waiting: dict[str, tuple[sched.Event, Operation]] = {}
        self._to_hear = False

    def add(self, operation: Operation) -> None:
        """Go on with an operation at its ``not_before``."""
        now = self._driver.clock()
        delay = (operation.not_before or now) - now
        with self._lock:
            event = self._agenda.after(delay, functools.partial(self._end, operation))
            self._waiting[operation.id] = event, operation
            already, self._to_hear = self._to_hear, True
        # A cancel may have been written since the operation was read. One look at the store is
        # enough for all that begin to wait before it.
        if not already:
            self._errand(self.look)

    def hear_cancels(self) -> None:
        """Go on at once with those that do not know yet that they are cancelled.

        Raises:
            StoreError: the store could not be asked.
        """
        with self._lock:
            self._to_hear = False
        for operation_id in self._driver.store.cancel_requests(self._driver.owner):
            with self._lock:
                event, operation = self._waiting.get(operation_id, (None, None))
                if event is None or operation is None or operation.cancel_requested:
                    continue
                del self._waiting[operation_id]
            if self._agenda.forget(event):
                self._go_on(self._read(operation))

    def hurry(self) -> None:
        """Go on with all of them at once, because something may have become of them meanwhile."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        for event, operation in waiting.values():
            if self._agenda.forget(event):
                self._go_on(operation)

    def _read(self, operation: Operation) -> Operation:
        """Read an operation anew; one that cannot be read now is not let out of sight."""
        try:
            return self._driver.store.operation(operation.id)
        except KarborBackupError as error:
            _log.warning("operation %s could not be read: %s", operation.id, error)
            return operation

    def look(self) -> None:
        """Hear cancels now if the store can be asked, otherwise with the next beat."""
        try:
            self.hear_cancels()
        except StoreError as error:
            _log.warning("cancels will be asked for with the next beat, not now: %s", error)

    def _end(self, operation: Operation) -> None:
        with self._lock:
            self._waiting.pop(operation.id, None)
        self._go_on(operation)
