"""The lease under which one process holds its operations.

It is one row of the store for each process, however many operations that process drives. Whether
it is still good is decided without asking the store: by what has gone by since the last renewal
was begun, on the clock on which more has gone by.
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
    """Renews the lease of one process, and gives it another name when it has been too late.

    A lease that has expired is never renewed: others may have taken what was held under it. The
    process goes on under a new name, and takes each operation anew by a write over the version
    that it knows.

    Args:
        store: keeps the lease.
        length: how long it is.
        clock: counts the time that goes by.
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
        # The machine's clock may be stepped ahead after a suspension that the steady one missed.
        self._wall: Clock = system_clock if isinstance(clock, SteadyClock) else clock
        self._renewed: tuple[datetime, datetime] | None = None
        self._store_clock: SteadyClock | None = None

    @property
    def owner(self) -> str:
        """The present name; another one after a fork, and after a lease that has expired."""
        with self._lock:
            if not self._names or self._pid != os.getpid():
                self._use_new_name()
            return self._names[-1]

    def is_own_name(self, owner: str) -> bool:
        """Say whether that was the name of this process at any time."""
        with self._lock:
            return owner in self._names

    def now(self) -> datetime:
        """Return the present instant on the clock that leases are written and judged by.

        It is the store's own, where it has one, so that processes with different clocks agree.

        Raises:
            StoreError: the store cannot be asked.
        """
        if self._store_clock is None:
            shown = self._store.now()
            if shown is None:
                return self._wall()
            self._store_clock = SteadyClock(lambda: shown)
        return self._store_clock()

    def is_valid(self) -> bool:
        """Say whether others still leave alone what is held under this lease."""
        with self._lock:
            return self._renewed is not None and self._elapsed() < self._length

    def ensure_valid(self) -> None:
        """Renew the lease if little of it is left, or if it has expired.

        Raises:
            StoreError: it cannot be renewed; nothing must be done under it.
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
            # A reply that comes after the end says nothing of what others did in between.
            in_time = self._renewed is None or self.is_valid()
            self._renewed = began
            if not in_time:
                self._use_new_name()
                self.renew()

    def give_up(self) -> None:
        """Give the lease up, when nothing is held under it any more.

        Raises:
            StoreError: the store cannot be reached; the lease will run out.
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
