"""A store over Karbor's bank: each operation in the checkpoint section of its resource."""

import contextlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
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
from karbor_backup_core.owners import is_free
from karbor_backup_core.stores import common
from karbor_backup_core.stores.resource_locks import ResourceLocks
from karbor_glue._bank_section import ResourceSection, StoredOperation
from karbor_glue._leases import Leases


@attrs.define
class _Entry:
    """An operation in memory.

    Attributes:
        section: where it is kept.
        notes: what is kept beside it.
        operation: as it was last written; None before the first write.
        lock: held while it is written.
    """

    section: ResourceSection
    notes: Mapping[str, Any]
    operation: Operation | None = None
    lock: Any = attrs.field(factory=threading.Lock)


class BankStore:
    """Remembers operations in Karbor's bank.

    A bank knows no compare-and-set. So versions are compared in this process's memory, which is
    where all operations of a running Karbor are written; between processes only the lease stands
    guard, and it is read from the bank when an operation is taken over. An operation's section is
    set with ``register`` before it is added, or is the one that ``load_operations`` reads it from.

    Attributes:
        unfinished: the ids of operations that were left to be gone on with later.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[str, _Entry] = {}
        self._holders: dict[str, str] = {}
        self._resource_locks = ResourceLocks()
        self._backups: dict[str, Backup] = {}
        self._written_leases: dict[tuple[int, str], Leases] = {}
        self.unfinished: set[str] = set()

    def register(
        self, operation_id: str, section: ResourceSection, notes: Mapping[str, Any]
    ) -> None:
        """Register where an operation that is about to be added is kept, and what beside it."""
        with self._lock:
            self._entries[operation_id] = _Entry(section, notes)

    def load_operations(self, section: ResourceSection) -> list[StoredOperation]:
        """Read the operations that a section keeps, so that they can be gone on with.

        Raises:
            StoreError: the bank cannot be used.
        """
        found = [self._apply_lease(section, stored) for stored in section.read_operations()]
        with self._lock:
            for stored in found:
                entry = _Entry(section, stored.notes, stored.operation)
                # What this process drives is newer in memory than what was read before the lock.
                self._entries.setdefault(stored.operation.id, entry)
        return found

    def unload(self, operation_id: str, *, unfinished: bool = False) -> None:
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
            self._resource_locks.remove(operation_id)

    def delete_operation(self, operation_id: str) -> None:
        """Remove an operation that is over from the bank.

        Raises:
            StoreError: the bank cannot be used.
        """
        with self._lock:
            entry = self._entries.pop(operation_id, None)
        if entry is not None:
            entry.section.delete_operation(operation_id)

    def add(self, operation: Operation) -> Operation:
        """Keep a new operation and answer it as stored, with version 1."""
        with self._lock_entry(operation.id) as entry:
            if entry.operation is not None:
                raise common.already_exists_error(operation)
            return self._write_entry(entry, common.reset_version(operation))

    def write(self, operations: Sequence[Operation]) -> Mapping[str, Operation | KarborBackupError]:
        """Write over the versions that were read; each has an object of its own in the bank."""
        return common.write_each(operations, self._replace)

    def take_over(self, operation: Operation, seen: Operation) -> Operation:
        """Write as ``write`` does, provided that the lease is still the one that was seen."""
        with self._lock_entry(operation.id) as entry:
            _require_version(entry, operation)
            stored = next(
                (k for k in entry.section.read_operations() if k.operation.id == operation.id), None
            )
            if stored is None:
                raise common.unknown_operation_error(operation.id)
            # Memory does not know what other processes wrote, and a bank has no compare-and-set.
            now = self._apply_lease(entry.section, stored).operation
            if now.version != operation.version or now.lease != seen.lease:
                raise common.version_conflict_error(operation)
            return self._write_entry(entry, operation)

    def operation(self, operation_id: str) -> Operation:
        """Return one operation."""
        with self._lock:
            entry = self._entries.get(operation_id)
        if entry is None or entry.operation is None:
            raise common.unknown_operation_error(operation_id)
        return entry.operation

    def operations(self, *, unreleased: bool = False) -> Sequence[Operation]:
        """Return the operations that were added or adopted; the oldest first."""
        stored = [each.operation for each in self._list_entries() if each.operation is not None]
        wanted = [each for each in stored if not (unreleased and each.state is State.RELEASED)]
        return sorted(wanted, key=lambda each: (each.created_at, each.id))

    def unowned(self, now: datetime, lease: timedelta) -> Sequence[Operation]:
        """Return the unreleased operations that no process drives; the oldest first."""
        return [each for each in self.operations(unreleased=True) if is_free(each, now, lease)]

    def cancel_requests(self, owner: str) -> Sequence[str]:
        """Return the ids of that owner's operations that it has yet to hear are cancelled."""
        return [each.id for each in self.operations() if common.has_unsent_cancel(each, owner)]

    def renew_lease(self, owner: str, lease_until: datetime) -> None:
        """Prolong the lease on all of that owner's operations, in each bank."""
        mine = [
            e
            for e in self._list_entries()
            if e.operation is not None and e.operation.owner == owner
        ]
        for bank in {id(entry.section.bank): entry.section.bank for entry in mine}.values():
            leases = Leases(bank)
            leases.renew(owner, lease_until)
            self._written_leases[id(bank), owner] = leases

    def now(self) -> datetime | None:
        """Return None: a bank has no clock."""
        return None

    def delete_lease(self, owner: str) -> None:
        """Remove the signs of life of an owner that holds nothing any more."""
        with self._lock:
            mine = [key for key in self._written_leases if key[1] == owner]
            shown = [self._written_leases.pop(key) for key in mine]
        for leases in shown:
            leases.delete(owner)

    def purge(self, before: datetime) -> int:
        """Forget the released operations that were begun before an instant; answer how many."""
        over = [
            each.id
            for each in self.operations()
            if each.state is State.RELEASED and each.created_at < before
        ]
        for operation_id in over:
            self.delete_operation(operation_id)
        return len(over)

    def put_backup(self, backup: Backup) -> None:
        """Remember a backup until the store is closed; checkpoints keep their own."""
        self._backups[backup.id] = backup

    def backup(self, backup_id: str) -> Backup:
        """Return one backup that was made since the store was opened."""
        try:
            return self._backups[backup_id]
        except KeyError:
            raise UnknownBackup(f"no backup {backup_id} was made here") from None

    def backups(self) -> Sequence[Backup]:
        """Return the backups that were made since the store was opened, the oldest first."""
        return sorted(self._backups.values(), key=lambda each: (each.created_at, each.id))

    def own_paths(self) -> Sequence[str]:
        """Return none: Karbor's bank keeps it."""
        return ()

    def close(self) -> None:
        """Remove the signs of life of who drives nothing any more."""
        for (_, owner), leases in self._written_leases.items():
            leases.delete(owner)

    def _replace(self, operation: Operation) -> Operation:
        """Write one operation; one that gets its outcome now, together with its effect.

        The effect goes first, and is the same if it comes twice: after a crash between the two
        writes the operation is found before its end, and ended again.
        """
        with self._lock_entry(operation.id) as entry:
            stored = _require_version(entry, operation)
            if stored.outcome is None:
                self._apply_effect(entry.section, common.backup_effect(operation))
            return self._write_entry(entry, operation)

    def _apply_effect(self, section: ResourceSection, effect: common.BackupEffect) -> None:
        if effect.delete:
            section.delete_backup()
            self._backups.pop(effect.delete, None)
        elif effect.put and (section.read_backup() or not effect.only_if_present):
            section.write_backup(effect.put)
            self._backups[effect.put.id] = effect.put

    def _list_entries(self) -> list[_Entry]:
        with self._lock:
            return list(self._entries.values())

    @contextlib.contextmanager
    def _lock_entry(self, operation_id: str) -> Iterator[_Entry]:
        with self._lock:
            entry = self._entries.get(operation_id)
        if entry is None:
            raise common.unknown_operation_error(operation_id)
        with entry.lock:
            yield entry

    def _write_entry(self, entry: _Entry, operation: Operation) -> Operation:
        """Write to the bank first: what memory says is durable."""
        stored = common.increment_version(operation)
        with self._hold_locks(stored):
            entry.section.write_operation(stored, entry.notes)
            entry.operation = stored
        return stored

    @contextlib.contextmanager
    def _hold_locks(self, operation: Operation) -> Iterator[None]:
        """Hold, or let go of, what the operation uses, provided that the write succeeds."""
        backup_id = operation.backup_id
        holds = common.needs_backup_lock(operation)
        with self._lock:
            holder = self._holders.get(backup_id)
            if holds and holder not in (None, operation.id):
                raise BackupBusy(backup_id, str(holder))
            if holds and holder is None:
                self._resource_locks.acquire(operation)
                self._holders[backup_id] = operation.id
        try:
            yield
        except StoreError:
            if holds and holder is None:
                # The operation is stored as it was: without the locks that this write brought.
                self._release_locks(operation)
            raise
        if not holds:
            self._release_locks(operation)

    def _release_locks(self, operation: Operation) -> None:
        with self._lock:
            if self._holders.get(operation.backup_id) == operation.id:
                del self._holders[operation.backup_id]
            self._resource_locks.release(operation)

    def _apply_lease(self, section: ResourceSection, stored: StoredOperation) -> StoredOperation:
        """Put the lease that its owner shows into an operation, where it shows one."""
        operation = stored.operation
        shown = Leases(section.bank).expiry(operation.owner) if operation.owner else None
        return attrs.evolve(stored, operation=common.with_renewed_lease(operation, shown))


def _require_version(entry: _Entry, operation: Operation) -> Operation:
    """Return the stored operation, which must be of the version that was read."""
    if entry.operation is None:
        raise common.unknown_operation_error(operation.id)
    if entry.operation.version != operation.version:
        raise common.version_conflict_error(operation)
    return entry.operation
