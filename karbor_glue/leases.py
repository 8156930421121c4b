"""How long each process that drives operations wants to be taken for alive, as Karbor's bank tells.

Several processes read and write one bank. Karbor's file-system bank writes an object by emptying
and filling it, and removes a folder that has become empty, perhaps just before another process
writes there. So a lease is written twice, under two names, of which one can always be read, and a
write that fails is repeated.
"""

import os
import threading
import time
import weakref
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import attrs
import tenacity

from karbor_backup_core import StoreError, system_clock
from karbor_backup_core.owners import Owner, owner_name
from karbor_glue.places import bank_errors

_SECTION: Final = "/karbor-backup/owners"
_COPIES: Final = ("-0", "-1")
_ATTEMPTS: Final = 3

_repeated = tenacity.retry(
    retry=tenacity.retry_if_exception_type(StoreError),
    stop=tenacity.stop_after_attempt(_ATTEMPTS),
    reraise=True,
)
"""What fails because another process has just removed an object or folder works the next time."""


@attrs.frozen
class Leases:
    """The leases that processes show in a bank; renewing one is two writes a process.

    Every method raises ``StoreError`` when the bank cannot be used.

    Attributes:
        bank: Karbor's ``Bank``.
    """

    bank: Any = attrs.field(eq=False, repr=False)

    def renew(self, owner: str, until: datetime) -> None:
        """Show that the process lives."""
        for copy in _COPIES:
            self._write(f"{lease_name(owner)}{copy}", until)

    def until(self, owner: str) -> datetime | None:
        """Return the instant until which the process is taken for alive; None if it shows none."""
        return self._shown().get(lease_name(owner))

    def alive(self) -> Mapping[str, datetime]:
        """Return the leases of the other processes that may live, by the names of their objects."""
        now = system_clock()
        return {
            name: until
            for name, until in self._shown().items()
            if until > now and not _has_ended(name) and name != presence.name
        }

    def drop(self, owner: str) -> None:
        """Remove the process's lease."""
        self._remove([f"{lease_name(owner)}{copy}" for copy in _COPIES])

    def drop_dead(self) -> None:
        """Remove the leases of all processes but the others that may live."""
        kept = {f"{name}{copy}" for name in self.alive() for copy in _COPIES}
        self._remove([name for name in self._names() if name not in kept])

    @_repeated
    def _write(self, name: str, until: datetime) -> None:
        with bank_errors("renew a lease"):
            self._section().update_object(name, {"lease_until": until.isoformat()})

    def _shown(self) -> dict[str, datetime]:
        """Return the latest lease of each name."""
        found: dict[str, datetime] = {}
        for name in self._names():
            until = self._read(name)
            if until is not None:
                known = name.removesuffix(_COPIES[0]).removesuffix(_COPIES[1])
                found[known] = max(until, found.get(known, until))
        return found

    def _names(self) -> list[str]:
        with bank_errors("list the leases"):
            return list(self._section().list_objects())

    def _read(self, name: str) -> datetime | None:
        """Read one copy; None if it is being written now, or was removed since it was listed."""
        try:
            with bank_errors("read a lease"):
                value = self._section().get_object(name)
        except StoreError:
            if name in self._names():
                raise
            return None
        return datetime.fromisoformat(value["lease_until"]) if isinstance(value, Mapping) else None

    def _remove(self, names: Iterable[str]) -> None:
        for name in set(names) & set(self._names()):
            try:
                with bank_errors("drop a lease"):
                    self._section().delete_object(name)
            except StoreError:
                if name in self._names():
                    raise

    def _section(self) -> Any:
        return self.bank.get_sub_section(_SECTION)


def lease_name(owner: str) -> str:
    """Return the name of the object that shows a process's lease."""
    # A bank takes no colon in the name of an object.
    return owner.replace(":", "@")


def _has_ended(name: str) -> bool:
    """Return whether the process that shows a lease was one of this host and has ended."""
    owner = Owner.parse(name.replace("@", ":"))
    return owner is not None and owner.is_dead


class Presence:
    """Shows that this process is about to work on a bank, before it holds any operation.

    What recovers meanwhile leaves alone what it cannot tell to be somebody's: a checkpoint without
    an operation, the record of a restore, a trust that no operation needs yet.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shown: weakref.WeakKeyDictionary[Any, tuple[int, float]] = weakref.WeakKeyDictionary()
        self._name = (0, "")

    @property
    def name(self) -> str:
        """The name of the object that shows this process; empty if it has shown nothing."""
        pid, owner = self._name
        return lease_name(owner) if pid == os.getpid() else ""

    def show(self, bank: Any, lease: timedelta) -> None:
        """Show it for the time of a lease, unless it was shown a short while ago.

        Args:
            bank: Karbor's ``Bank``.
            lease: how long.

        Raises:
            StoreError: the bank cannot be used.
        """
        with self._lock:
            pid, now = os.getpid(), time.monotonic()
            if self._name[0] != pid:
                self._name = (pid, owner_name(lease))
            known = self._shown.get(bank)
            if known and known[0] == pid and now - known[1] < lease.total_seconds() / 3:
                return
            Leases(bank).renew(self._name[1], system_clock() + lease)
            self._shown[bank] = (pid, now)


presence: Final = Presence()
