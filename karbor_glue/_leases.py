"""How long each process that drives operations wants to be taken for alive, as Karbor's bank tells.

Several processes read and write one bank. Karbor's file-system bank writes an object by emptying
and filling it, and removes a folder that has become empty, perhaps just before another process
writes there. So a lease is written twice, under two names, of which one can always be read, and a
write that fails is repeated.

Other processes learn of a lease from the bank's list, unless an operation names its owner. Where
the bank may list late, a process goes on only when its lease is listed.
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
from karbor_backup_core.owners import Owner, new_owner_name
from karbor_glue._bank_objects import (
    list_names,
    lists_current_state,
    read_object,
    remove_object,
    write_object,
)

_SECTION: Final = "/karbor-backup/owners"
_COPIES: Final = ("-0", "-1")
_LEASES: Final = "the leases"
_ATTEMPTS: Final = 3
_LISTED_ATTEMPTS: Final = 6

_retry = tenacity.retry(
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
            self._write_copy(f"{lease_object_name(owner)}{copy}", until)

    def announce(self, owner: str, until: datetime) -> None:
        """Show that the process lives, and make sure that the bank lists it.

        Raises:
            StoreError: the bank does not list it. A repeated write makes Swift try once more to
                tell its container.
        """
        self.renew(owner, until)
        if not lists_current_state(self.bank):
            self._insist(owner, until)

    def expiry(self, owner: str) -> datetime | None:
        """Return the instant until which the process is taken for alive; None if it shows none."""
        found = (self._read_copy(f"{lease_object_name(owner)}{copy}") for copy in _COPIES)
        return max((each for each in found if each is not None), default=None)

    def live_leases(self) -> Mapping[str, datetime]:
        """Return the leases of the other processes that may live, by the names of their objects."""
        now = system_clock()
        return {
            name: until
            for name, until in self._latest_leases().items()
            if until > now and not _has_exited(name) and name != process_lease.object_name
        }

    def delete(self, owner: str) -> None:
        """Remove the process's lease."""
        self._delete_objects([f"{lease_object_name(owner)}{copy}" for copy in _COPIES])

    def delete_dead(self) -> None:
        """Remove the leases of all processes but the others that may live."""
        kept = {f"{name}{copy}" for name in self.live_leases() for copy in _COPIES}
        self._delete_objects([name for name in self._list_names() if name not in kept])

    @tenacity.retry(
        retry=tenacity.retry_if_exception_type(StoreError),
        stop=tenacity.stop_after_attempt(_LISTED_ATTEMPTS),
        wait=tenacity.wait_exponential(multiplier=0.2),
        reraise=True,
    )
    def _insist(self, owner: str, until: datetime) -> None:
        listed = self._list_names()
        if not any(f"{lease_object_name(owner)}{copy}" in listed for copy in _COPIES):
            self.renew(owner, until)
            raise StoreError(
                "Karbor's bank does not list the lease that this process has written, so that "
                "'karbor-backup karbor recover' could take it for dead: try again when the bank's "
                "lists are up to date (in Swift, see to its container servers and object-updater)"
            )

    @_retry
    def _write_copy(self, name: str, until: datetime) -> None:
        write_object(self._bank_section(), name, {"lease_until": until.isoformat()}, _LEASES)

    def _latest_leases(self) -> dict[str, datetime]:
        """Return the latest lease of each name."""
        found: dict[str, datetime] = {}
        for name in self._list_names():
            until = self._read_copy(name)
            if until is not None:
                known = name.removesuffix(_COPIES[0]).removesuffix(_COPIES[1])
                found[known] = max(until, found.get(known, until))
        return found

    def _list_names(self) -> set[str]:
        return list_names(self._bank_section(), _LEASES)

    def _read_copy(self, name: str) -> datetime | None:
        """Read one copy; None if it is being written now, or is not there."""
        value = read_object(self._bank_section(), name, _LEASES)
        return datetime.fromisoformat(value["lease_until"]) if isinstance(value, Mapping) else None

    @_retry
    def _delete_objects(self, names: Iterable[str]) -> None:
        for name in names:
            remove_object(self._bank_section(), name, _LEASES)

    def _bank_section(self) -> Any:
        return self.bank.get_sub_section(_SECTION)


def lease_object_name(owner: str) -> str:
    """Return the name of the object that shows a process's lease."""
    # A bank takes no colon in the name of an object.
    return owner.replace(":", "@")


def describe_alive(until: Mapping[str, datetime]) -> str:
    """Return why something is left alone, and when to look again.

    Args:
        until: the instants until which processes show that they live, by their names.
    """
    who = ", ".join(f"{owner} until {each:%H:%M:%S} UTC" for owner, each in until.items())
    return (
        f"left alone: a process shows that it lives: {who}; if it has ended, recover again after "
        "that time"
    )


def _has_exited(name: str) -> bool:
    """Return whether the process that shows a lease was one of this host and has ended."""
    owner = Owner.parse(name.replace("@", ":"))
    return owner is not None and owner.is_dead


class ProcessLease:
    """Shows that this process is about to work on a bank, before it holds any operation.

    What recovers meanwhile leaves alone what it cannot tell to be somebody's: a checkpoint without
    an operation, the record of a restore, a trust that no operation needs yet.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._renewed_at: weakref.WeakKeyDictionary[Any, tuple[int, float]] = (
            weakref.WeakKeyDictionary()
        )
        self._owner = (0, "")

    @property
    def object_name(self) -> str:
        """The name of the object that shows this process; empty if it has shown nothing."""
        pid, owner = self._owner
        return lease_object_name(owner) if pid == os.getpid() else ""

    def renew(self, bank: Any, lease: timedelta) -> None:
        """Show it for the time of a lease, unless it was shown a short while ago.

        Args:
            bank: Karbor's ``Bank``.
            lease: how long.

        Raises:
            StoreError: the bank cannot be used.
        """
        with self._lock:
            pid, now = os.getpid(), time.monotonic()
            if self._owner[0] != pid:
                self._owner = (pid, new_owner_name(lease))
            known = self._renewed_at.get(bank)
            if known and known[0] == pid and now - known[1] < lease.total_seconds() / 3:
                return
            Leases(bank).announce(self._owner[1], system_clock() + lease)
            self._renewed_at[bank] = (pid, now)


process_lease: Final = ProcessLease()
