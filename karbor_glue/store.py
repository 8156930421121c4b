"""A store over Karbor's bank: each operation in the checkpoint section of its resource."""

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs

from karbor_backup_core import (
    Backup,
    BackupBusy,
    KarborBackupError,
    Operation,
    State,
    StoreError,
    UnknownBackup,
)
from karbor_backup_core.stores import rules
from karbor_glue.leases import Leases
from karbor_glue.places import Kept, Place


@attrs.define
class _Entry:
    """An operation in memory.

    Attributes:
        place: where it is kept.
        notes: what is kept beside it.
        operation: as it was last written; None before the first write.
        lock: held while it is written.
    """

    place: Place
    notes: Mapping[str, Any]
    operation: Operation | None = None
    lock: Any = attrs.field(factory=threading.Lock)


class BankStore:
    """Remembers operations in Karbor's bank.

    A bank knows no compare-and-set. So versions are compared in this process's memory, which is
    where all operations of a running Karbor are written; between processes only the lease stands
    guard, and it is read from the bank when an operation is taken over. An operation is to be
    given its place with ``admit`` before it is added, or read from its place with ``adopt``.

    Attributes:
        unfinished: the ids of operations that were left to be gone on with later.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}
        self._holders: dict[str, str] = {}
        self._backups: dict[str, Backup] = {}
        self._shown: dict[tuple[int, str], Leases] = {}
        self.unfinished: set[str] = set()

    def admit(self, operation_id: str, place: Place, notes: Mapping[str, Any]) -> None:
        """Say where an operation that is about to be added is to be kept, and what beside it."""
        with self._lock:
            self._entries[operation_id] = _Entry(place, notes)

    def adopt(self, place: Place) -> list[Kept]:
        """Read the operations that are kept at a place, so that they can be gone on with.

        Raises:
            StoreError: the bank cannot be used.
        """
        found = [self._with_lease(place, kept) for kept in place.operations()]
        with self._lock:
            for kept in found:
                entry = _Entry(place, kept.notes, kept.operation)
                self._entries.setdefault(kept.operation.id, entry)
        return found

    def leave(self, operation_id: str, *, unfinished: bool = False) -> None:
        """Take an operation out of memory; the bank keeps it.

        Args:
            operation_id: the operation's id.
            unfinished: whether nobody drives it now, so that somebody is to go on with it later.
        """
        with self._lock:
            if unfinished:
                self.unfinished.add(operation_id)
            self._entries.pop(operation_id, None)
            for backup_id in [b for b, holder in self._holders.items() if holder == operation_id]:
                del self._holders[backup_id]

    def forget(self, operation_id: str) -> None:
        """Remove an operation that is over from the bank.

        Raises:
            StoreError: the bank cannot be used.
        """
        with self._lock:
            entry = self._entries.pop(operation_id, None)
        if entry is not None:
            entry.place.forget_operation(operation_id)

    def add(self, operation: Operation) -> Operation:
        """Keep a new operation and answer it as stored, with version 1."""
        with self._writing(operation.id) as entry:
            if entry.operation is not None:
                raise rules.already_there(operation)
            return self._put(entry, rules.unwritten(operation))

    def write(self, operation: Operation) -> Operation:
        """Write over the version that was read; answer the operation with the next version."""
        with self._writing(operation.id) as entry:
            _require_version(entry, operation)
            return self._put(entry, operation)

    def end(self, operation: Operation) -> Operation:
        """Write an operation that has just got its outcome, together with its effect.

        The effect goes first, and is the same if it comes twice: after a crash between the two
        writes the operation is found before its end, and ended again.
        """
        effect = rules.effect_of_end(operation)
        with self._writing(operation.id) as entry:
            _require_version(entry, operation)
            if effect.forget:
                entry.place.forget_backup()
                self._backups.pop(effect.forget, None)
            elif effect.keep and (entry.place.backup() or not effect.only_if_there):
                entry.place.keep_backup(effect.keep)
                self._backups[effect.keep.id] = effect.keep
            return self._put(entry, operation)

    def write_all(
        self, written: Sequence[Operation], ended: Sequence[Operation]
    ) -> Mapping[str, Operation | KarborBackupError]:
        """Write many operations, each by itself: each has an object of its own in the bank."""
        return rules.each_by_itself(self, written, ended)

    def take(self, operation: Operation, seen: Operation) -> Operation:
        """Write as ``write`` does, provided that the lease is still the one that was seen."""
        with self._writing(operation.id) as entry:
            _require_version(entry, operation)
            kept = next(
                (k for k in entry.place.operations() if k.operation.id == operation.id), None
            )
            if kept is None:
                raise rules.no_operation(operation.id)
            now = self._with_lease(entry.place, kept).operation
            if now.version != operation.version or now.lease_until != seen.lease_until:
                raise rules.overtaken(operation)
            return self._put(entry, operation)

    def operation(self, operation_id: str) -> Operation:
        """Answer one operation."""
        with self._lock:
            entry = self._entries.get(operation_id)
        if entry is None or entry.operation is None:
            raise rules.no_operation(operation_id)
        return entry.operation

    def operations(self, *, unreleased: bool = False) -> Sequence[Operation]:
        """Answer the operations that were added or adopted; the oldest first."""
        kept = [each.operation for each in self._all() if each.operation is not None]
        wanted = [each for each in kept if not (unreleased and each.state is State.RELEASED)]
        return sorted(wanted, key=lambda each: (each.created_at, each.id))

    def cancel_requests(self, owner: str) -> Sequence[str]:
        """Answer the ids of that owner's operations that it has yet to hear are cancelled."""
        return [each.id for each in self.operations() if rules.wants_cancel(each, owner)]

    def renew(self, owner: str, lease_until: datetime) -> None:
        """Prolong the lease on all of that owner's operations, in each bank."""
        mine = [e for e in self._all() if e.operation is not None and e.operation.owner == owner]
        for bank in {id(entry.place.bank): entry.place.bank for entry in mine}.values():
            leases = Leases(bank)
            leases.renew(owner, lease_until)
            self._shown[id(bank), owner] = leases

    def now(self) -> datetime | None:
        """Return None: a bank has no clock."""
        return None

    def end_lease(self, owner: str) -> None:
        """Remove the signs of life of an owner that holds nothing any more."""
        with self._lock:
            mine = [key for key in self._shown if key[1] == owner]
            shown = [self._shown.pop(key) for key in mine]
        for leases in shown:
            leases.drop(owner)

    def purge(self, before: datetime) -> int:
        """Forget the released operations that were begun before an instant; answer how many."""
        over = [
            each.id
            for each in self.operations()
            if each.state is State.RELEASED and each.created_at < before
        ]
        for operation_id in over:
            self.forget(operation_id)
        return len(over)

    def keep(self, backup: Backup) -> None:
        """Remember a backup until the store is closed; checkpoints keep their own."""
        self._backups[backup.id] = backup

    def backup(self, backup_id: str) -> Backup:
        """Answer one backup that was made since the store was opened."""
        try:
            return self._backups[backup_id]
        except KeyError:
            raise UnknownBackup(f"no backup {backup_id} was made here") from None

    def backups(self) -> Sequence[Backup]:
        """Answer the backups that were made since the store was opened, the oldest first."""
        return sorted(self._backups.values(), key=lambda each: (each.created_at, each.id))

    def own_paths(self) -> Sequence[str]:
        """Answer none: Karbor's bank keeps it."""
        return ()

    def close(self) -> None:
        """Remove the signs of life of who drives nothing any more."""
        for (_, owner), leases in self._shown.items():
            leases.drop(owner)

    def _all(self) -> list[_Entry]:
        with self._lock:
            return list(self._entries.values())

    @contextlib.contextmanager
    def _writing(self, operation_id: str) -> Iterator[_Entry]:
        with self._lock:
            entry = self._entries.get(operation_id)
        if entry is None:
            raise rules.no_operation(operation_id)
        with entry.lock:
            yield entry

    def _put(self, entry: _Entry, operation: Operation) -> Operation:
        """Write to the bank first: what memory says is durable."""
        stored = rules.next_version(operation)
        with self._holding(stored):
            entry.place.keep_operation(stored, entry.notes)
            entry.operation = stored
        return stored

    @contextlib.contextmanager
    def _holding(self, operation: Operation) -> Iterator[None]:
        """Hold, or let go of, the operation's backup, provided that the write succeeds."""
        backup_id = operation.backup_id
        holds = rules.holds_backup(operation)
        with self._lock:
            holder = self._holders.get(backup_id)
            if holds and holder not in (None, operation.id):
                raise BackupBusy(backup_id, str(holder))
            if holds:
                self._holders[backup_id] = operation.id
        try:
            yield
        except StoreError:
            self._let_go(backup_id, unless=holder is not None)
            raise
        self._let_go(backup_id, unless=holds or holder != operation.id)

    def _let_go(self, backup_id: str, *, unless: bool) -> None:
        if not unless:
            with self._lock:
                self._holders.pop(backup_id, None)

    def _with_lease(self, place: Place, kept: Kept) -> Kept:
        """Put the lease that its owner shows into an operation, where it shows one."""
        operation = kept.operation
        shown = Leases(place.bank).until(operation.owner) if operation.owner else None
        if shown is None:
            return kept
        return attrs.evolve(kept, operation=attrs.evolve(operation, lease_until=shown))


def _require_version(entry: _Entry, operation: Operation) -> None:
    if entry.operation is None:
        raise rules.no_operation(operation.id)
    if entry.operation.version != operation.version:
        raise rules.overtaken(operation)
