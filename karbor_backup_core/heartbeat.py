"""Renews the lease of a process as long as it holds operations."""

import logging
import threading
from collections.abc import Callable

import attrs

from karbor_backup_core.agenda import Agenda
from karbor_backup_core.driver import Driver
from karbor_backup_core.errors import StoreError

_log = logging.getLogger("karbor_backup.runner")


@attrs.frozen
class BeatCallbacks:
    """What is asked and told with each beat.

    Attributes:
        needed: says whether operations are held.
        listen: hears what other processes ask for.
        on_expired: hears that the lease has run out and the store cannot be reached, and why.
        on_renamed: hears that the lease had run out and a new one has begun, under which all
            that is held is to be taken anew.
    """

    needed: Callable[[], bool]
    listen: Callable[[], None]
    on_expired: Callable[[StoreError], None]
    on_renamed: Callable[[], None]


class Heartbeat:
    """Renews the lease of a driver at a third of its time.

    Args:
        driver: whose lease.
        agenda: keeps the time.
        errand: runs a beat in a thread; it must not wait for calls of backends, or leases end.
        callbacks: what is asked and told.
    """

    def __init__(
        self,
        driver: Driver,
        agenda: Agenda,
        errand: Callable[[Callable[[], None]], None],
        callbacks: BeatCallbacks,
    ) -> None:
        self._driver = driver
        self._agenda = agenda
        self._errand = errand
        self._callbacks = callbacks
        self._lock = threading.Lock()
        self._beating = False
        self._failures = 0

    def start(self) -> None:
        """Beat from now on, until nothing is held; an operation must be held already."""
        with self._lock:
            already, self._beating = self._beating, True
        if not already:
            self._plan()

    def _plan(self) -> None:
        lifecycle = self._driver.lifecycle
        interval = lifecycle.policy.lease / 3
        if self._failures:
            interval = min(interval, lifecycle.store_delay(self._failures))
        self._agenda.after(interval, self._submit)

    def _submit(self) -> None:
        try:
            self._errand(self._beat)
        except RuntimeError as error:  # no thread can be started now
            _log.error("a beat of %s has to wait: %s", self._driver.owner, error)
            self._failures += 1
            self._plan()

    def _beat(self) -> None:
        try:
            self._renew()
        except BaseException:  # noqa: BLE001 - without beats all that is held would be taken
            _log.exception("a beat of %s failed", self._driver.owner)
            self._failures += 1
        with self._lock:
            self._beating = self._callbacks.needed()
        if self._beating:
            self._plan()

    def _renew(self) -> None:
        owner = self._driver.owner
        try:
            self._driver.lease.renew()
        except StoreError as error:
            self._failures += 1
            level = logging.WARNING if self._failures == 1 else logging.DEBUG
            _log.log(level, "the lease of %s could not be renewed: %s", owner, error)
            if not self._driver.lease.is_valid():
                self._callbacks.on_expired(error)
            return
        self._failures = 0
        if self._driver.owner != owner:
            _log.warning("the lease of %s had run out; what was held is taken anew", owner)
            self._callbacks.on_renamed()
        try:
            self._callbacks.listen()
        except StoreError as error:
            _log.warning("cancels will be asked for with the next beat: %s", error)
