"""A store in memory, which ends with its process."""

import threading
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from karbor_backup_core._errors import BackupBusy, KarborBackupError
from karbor_backup_core._model import Backup, Operation, State
from karbor_backup_core.owners import is_free
from karbor_backup_core.stores import common
from karbor_backup_core.stores.resource_locks import ResourceLocks


class MemoryStore:
    """Keeps operations and backups in the memory of this process; see ``Store`` for the rules."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._operations: dict[str, Operation] = {}
        self._backups: dict[str, Backup] = {}
        self._holders: dict[str, str] = {}
        self._resource_locks = ResourceLocks()
        self._cancelled: set[str] = set()
        self._leases: dict[str, datetime] = {}

    def add(self, operation: Operation) -> Operation:
        """Add a new operation and return it as stored, with version 1."""
        with self._lock:
            if operation.id in self._operations:
                raise common.already_exists_error(operation)
            return self._put(common.reset_version(operation))

    def write(self, operations: Sequence[Operation]) -> Mapping[str, Operation | KarborBackupError]:
        """Replace the versions that were read, each separately."""
        return common.write_each(operations, self._replace)

    def operation(self, operation_id: str) -> Operation:
        """Return one operation."""
        with self._lock:
            if operation_id not in self._operations:
                raise common.unknown_operation_error(operation_id)
            return self._merge_lease(self._operations[operation_id])

    def operations(self, *, unreleased: bool = False) -> Sequence[Operation]:
        """Return all operations, or only those that are not released; the oldest first."""
        with self._lock:
            kept = [self._merge_lease(each) for each in self._operations.values()]
        wanted = [each for each in kept if not (unreleased and each.state is State.RELEASED)]
        return sorted(wanted, key=lambda each: (each.created_at, each.id))

    def unowned(self, now: datetime, lease: timedelta) -> Sequence[Operation]:
        """Return the unreleased operations that no process drives; the oldest first."""
        return [each for each in self.operations(unreleased=True) if is_free(each, now, lease)]

    def cancel_requests(self, owner: str) -> Sequence[str]:
        """Return the ids of that owner's operations that are to be cancelled."""
        with self._lock:
            cancelled = [self._operations[each] for each in self._cancelled]
        return sorted(each.id for each in cancelled if common.has_unsent_cancel(each, owner))

    def renew_lease(self, owner: str, lease_until: datetime) -> None:
        """Extend the lease on all of that owner's operations; their versions stay."""
        with self._lock:
            if owner not in self._leases:
                owners = {each.owner for each in self._operations.values()}
                self._leases = {name: at for name, at in self._leases.items() if name in owners}
            self._leases[owner] = lease_until

    def now(self) -> datetime | None:
        """Return None: this store has no clock of its own."""
        return None

    def delete_lease(self, owner: str) -> None:
        """Remove the lease of an owner that drives no operations any more."""
        with self._lock:
            self._leases.pop(owner, None)

    def take_over(self, operation: Operation, seen: Operation) -> Operation:
        """Write as ``write`` does, provided that the lease is still the one in ``seen``."""
        with self._lock:
            stored = self._find_version(operation)
            if common.with_renewed_lease(seen, self._leases.get(stored.owner)) is not seen:
                raise common.version_conflict_error(operation)
            return self._put(operation)

    def purge(self, before: datetime) -> int:
        """Remove released operations created before an instant; return their number."""
        with self._lock:
            kept = self._operations.values()
            old = [x.id for x in kept if x.state is State.RELEASED and x.created_at < before]
            for operation_id in old:
                del self._operations[operation_id]
                self._cancelled.discard(operation_id)
        return len(old)

    def put_backup(self, backup: Backup) -> None:
        """Add a backup that was made elsewhere; it replaces one with the same id."""
        with self._lock:
            self._backups[backup.id] = backup

    def backup(self, backup_id: str) -> Backup:
        """Return one backup."""
        with self._lock:
            if backup_id not in self._backups:
                raise common.unknown_backup_error(backup_id)
            return self._backups[backup_id]

    def backups(self) -> Sequence[Backup]:
        """Return all backups, the oldest first."""
        with self._lock:
            kept = list(self._backups.values())
        return sorted(kept, key=lambda each: (each.created_at, each.id))

    def own_paths(self) -> Sequence[str]:
        """Return no path: this store has no files."""
        return ()

    def close(self) -> None:
        """Do nothing: the content stays readable."""

    def _replace(self, operation: Operation) -> Operation:
        """Write one operation, and the effect on backups if it has its outcome only now."""
        with self._lock:
            had_outcome = self._find_version(operation).outcome is not None
            stored = self._put(operation)
            effect = common.BackupEffect() if had_outcome else common.backup_effect(operation)
            self._backups.pop(effect.delete, None)
            backup = effect.put
            if backup and (backup.id in self._backups or not effect.only_if_present):
                self._backups[backup.id] = backup
            return stored

    def _find_version(self, operation: Operation) -> Operation:
        """Return the stored operation, which must be of the version that was read."""
        kept = self._operations.get(operation.id)
        if kept is None:
            raise common.unknown_operation_error(operation.id)
        if kept.version != operation.version:
            raise common.version_conflict_error(operation)
        return kept

    def _merge_lease(self, operation: Operation) -> Operation:
        """Return the operation with the lease of its owner."""
        return common.with_renewed_lease(operation, self._leases.get(operation.owner))

    def _put(self, operation: Operation) -> Operation:
        """Lock or unlock what it uses, then store the operation with its next version."""
        backup_id = operation.backup_id
        holder = self._holders.get(backup_id)
        if not common.needs_backup_lock(operation):
            if holder == operation.id:
                del self._holders[backup_id]
            self._resource_locks.release(operation)
        elif holder is None:
            self._resource_locks.acquire(operation)
            self._holders[backup_id] = operation.id
        elif holder != operation.id:
            raise BackupBusy(backup_id, holder)
        stored = common.increment_version(operation)
        self._operations[operation.id] = stored
        if common.has_unsent_cancel(stored, stored.owner):
            self._cancelled.add(stored.id)
        else:
            self._cancelled.discard(stored.id)
        return stored
