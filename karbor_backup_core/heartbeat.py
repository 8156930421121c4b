"""Shows that a process lives: renews its leases as long as it holds operations."""

import logging
import threading
from collections.abc import Callable

from karbor_backup_core.agenda import Agenda
from karbor_backup_core.driver import Driver
from karbor_backup_core.errors import StoreError

_log = logging.getLogger("karbor_backup.runner")


class Heartbeat:
    """Renews the leases of a driver at a third of their time.

    Args:
        driver: whose leases.
        agenda: keeps the time.
        errand: runs a beat in a thread; it must not wait for calls of backends, or leases end.
        needed: whether operations are held.
        listen: called with each beat, to hear what other processes ask for.
    """

    def __init__(
        self,
        driver: Driver,
        agenda: Agenda,
        errand: Callable[[Callable[[], None]], None],
        needed: Callable[[], bool],
        listen: Callable[[], None],
    ) -> None:
        self._driver = driver
        self._agenda = agenda
        self._errand = errand
        self._needed = needed
        self._listen = listen
        self._lock = threading.Lock()
        self._beating = False

    def start(self) -> None:
        """Beat from now on, until nothing is held; an operation must be held already."""
        with self._lock:
            already, self._beating = self._beating, True
        if not already:
            self._plan()

    def _plan(self) -> None:
        interval = self._driver.lifecycle.policy.lease / 3
        self._agenda.after(interval, lambda: self._errand(self._beat))

    def _beat(self) -> None:
        lease = self._driver.clock() + self._driver.lifecycle.policy.lease
        try:
            self._driver.store.renew(self._driver.owner, lease)
            self._listen()
        except StoreError as error:
            _log.warning("the leases of %s could not be renewed: %s", self._driver.owner, error)
        with self._lock:
            self._beating = self._needed()
        if self._beating:
            self._plan()
