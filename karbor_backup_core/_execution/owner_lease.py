"""The lease under which one process owns its operations.

It is one row of the store for each process, however many operations that process drives. Whether it
is still valid is decided without the store: by the time since the last renewal was started, on
whichever of the two clocks shows more.
"""

import os
import threading
from datetime import datetime, timedelta
from typing import Final

from karbor_backup_core._clock import Clock, SteadyClock, system_clock
from karbor_backup_core.owners import new_owner_name
from karbor_backup_core.stores.base import Store

_RENEWAL_SHARE: Final = 1 / 3
"""With less than this share of it left, a lease is renewed before a call is made under it."""


class OwnerLease:
    """Renews the lease of one process; after an expiry, under a new owner name.

    A lease that has expired is never renewed: other processes may have taken over its operations.
    The process continues under a new name, and acquires each operation again by a write over the
    version that it knows.

    Args:
        store: keeps the lease.
        length: its duration.
        clock: returns the present instant.
        name: the owner's name, instead of one made from the process.
    """

    def __init__(self, store: Store, length: timedelta, clock: Clock, name: str = "") -> None:
        self._store = store
        self._length = length
        self._clock = clock
        self._given = name
        self._lock = threading.RLock()
        self._names: list[str] = []
        self._pid = 0
        # During a suspension of the machine the monotonic clock may stand still; the other one is
        # set afterwards.
        self._wall: Clock = system_clock if isinstance(clock, SteadyClock) else clock
        self._renewed: tuple[datetime, datetime] | None = None
        self._store_clock: SteadyClock | None = None

    @property
    def owner(self) -> str:
        """The present owner name; a new one after a fork and after an expired lease."""
        with self._lock:
            if not self._names or self._pid != os.getpid():
                self._use_new_name()
            return self._names[-1]

    def is_own_name(self, owner: str) -> bool:
        """Return whether this process has, or had, that owner name."""
        with self._lock:
            return owner in self._names

    def now(self) -> datetime:
        """Return the present instant on the clock by which leases are written and compared.

        It is the store's own, where it has one, so that processes with different clocks agree.

        Raises:
            StoreError: the store cannot be reached.
        """
        if self._store_clock is None:
            shown = self._store.now()
            if shown is None:
                return self._wall()
            self._store_clock = SteadyClock(lambda: shown)
        return self._store_clock()

    def is_valid(self) -> bool:
        """Return whether the lease still keeps other processes from a takeover."""
        with self._lock:
            return self._renewed is not None and self._elapsed() < self._length

    def ensure_valid(self) -> None:
        """Renew the lease if it expires soon or has expired.

        Raises:
            StoreError: it cannot be renewed; no call may be made under it.
        """
        with self._lock:
            if self._pid == os.getpid() and self._renewed is not None:
                left = 1 - self._elapsed() / self._length
                if left > _RENEWAL_SHARE:
                    return
            self.renew()

    def renew(self) -> None:
        """Renew the lease, under a new name if the old one has expired.

        Raises:
            StoreError: the store cannot be reached.
        """
        with self._lock:
            owner = self.owner
            if self._renewed is not None and not self.is_valid():
                owner = self._use_new_name()
            self._store_clock = None
            until = self.now() + self._length
            began = self._clock(), self._wall()
            self._store.renew_lease(owner, until)
            # A reply after the expiry does not exclude a takeover in between.
            in_time = self._renewed is None or self.is_valid()
            self._renewed = began
            if not in_time:
                self._use_new_name()
                self.renew()

    def give_up(self) -> None:
        """Delete the lease when this process owns no operation any more.

        Raises:
            StoreError: the store cannot be reached; the lease will expire.
        """
        with self._lock:
            if self._names and self._pid == os.getpid():
                self._store.delete_lease(self._names[-1])
                self._renewed = None

    def _use_new_name(self) -> str:
        if self._pid != os.getpid():
            self._names.clear()
            self._pid = os.getpid()
        count = len(self._names)
        if self._given:
            name = f"{self._given}:{count}" if count else self._given
        else:
            name = new_owner_name(self._length)
        self._names.append(name)
        self._renewed = None
        return name

    def _elapsed(self) -> timedelta:
        if self._renewed is None:
            return timedelta.max
        steady, wall = self._renewed
        return max(self._clock() - steady, self._wall() - wall)
