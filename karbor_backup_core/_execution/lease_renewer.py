"""Renews the lease of a process as long as it owns operations."""

import logging
import threading
from collections.abc import Callable

import attrs

from karbor_backup_core._errors import StoreError
from karbor_backup_core._execution.driver import Driver
from karbor_backup_core._execution.timer import Timer

_log = logging.getLogger("karbor_backup.runner")


@attrs.frozen
class RenewalCallbacks:
    """The callbacks of each renewal.

    Attributes:
        is_needed: returns whether operations are active.
        on_renewed: is called after each renewal, to read cancel requests of other processes.
        on_expired: is called, with the reason, when the lease has expired and the store cannot be
            reached.
        on_new_owner: is called when a new lease follows one that had expired; all active operations
            are to be acquired again under it.
    """

    is_needed: Callable[[], bool]
    on_renewed: Callable[[], None]
    on_expired: Callable[[StoreError], None]
    on_new_owner: Callable[[], None]


class LeaseRenewer:
    """Renews the lease of a driver after a third of its duration.

    Args:
        driver: whose lease.
        timer: calls functions after a delay.
        submit_task: runs a renewal in a thread; it must not wait for calls of backends, or the
            lease expires.
        callbacks: are called with each renewal.
    """

    def __init__(
        self,
        driver: Driver,
        timer: Timer,
        submit_task: Callable[[Callable[[], None]], None],
        callbacks: RenewalCallbacks,
    ) -> None:
        self._driver = driver
        self._timer = timer
        self._submit_task = submit_task
        self._callbacks = callbacks
        self._lock = threading.Lock()
        self._active = False
        self._failures = 0
        self._owner = ""

    def start(self) -> None:
        """Start to renew, until no operation is active; one must be active already."""
        with self._lock:
            already, self._active = self._active, True
        if not already:
            self._owner = self._driver.owner
            self._schedule()

    def _schedule(self) -> None:
        lifecycle = self._driver.lifecycle
        interval = lifecycle.policy.lease / 3
        if self._failures:
            interval = min(interval, lifecycle.store_retry_delay(self._failures))
        self._timer.schedule(interval, self._submit_renewal)

    def _submit_renewal(self) -> None:
        try:
            self._submit_task(self._run)
        except RuntimeError as error:  # no thread can be started now
            _log.error("the renewal of the leases of %s has to wait: %s", self._driver.owner, error)
            self._failures += 1
            self._schedule()

    def _run(self) -> None:
        try:
            self._renew()
        except BaseException:  # noqa: BLE001 - without renewals other processes would take all operations
            _log.exception("the renewal of the leases of %s failed", self._driver.owner)
            self._failures += 1
        with self._lock:
            self._active = self._callbacks.is_needed()
        if self._active:
            self._schedule()

    def _renew(self) -> None:
        try:
            self._driver.lease.renew()
        except StoreError as error:
            self._failures += 1
            level = logging.WARNING if self._failures == 1 else logging.DEBUG
            _log.log(level, "the lease of %s could not be renewed: %s", self._owner, error)
            if not self._driver.lease.is_valid():
                self._callbacks.on_expired(error)
            return
        self._failures = 0
        # The name may have changed before: in a renewal that failed, or in one for a call.
        held_by, self._owner = self._owner, self._driver.owner
        if self._owner != held_by:
            _log.warning("the lease of %s had run out; what was held is taken anew", held_by)
            self._callbacks.on_new_owner()
        self._callbacks.on_renewed()
