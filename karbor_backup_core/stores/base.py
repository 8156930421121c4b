"""The contract of a store of operations and backups."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from karbor_backup_core._errors import KarborBackupError
from karbor_backup_core._model import Backup, Operation


class Store(Protocol):
    """A store of operations and backups.

    Every write is compare-and-set on ``Operation.version``, so that two processes on one store
    never drive the same operation. A write is durable when the call returns. Every method may be
    called from any thread, and raises ``StoreError`` if the store cannot be reached.

    An operation locks its backup (``Operation.backup_id``) from the first write with ``phase``
    1 or more until it is written as released; two operations never lock the same one. With the
    same writes it locks its ``shared_resources``, all or none: an exclusive lock on one excludes
    all others. A planned operation that is written with ``Retry.lock_pending`` waits for them: one
    that was created later, and that one of the two would exclude, does not overtake it.
    """

    def add(self, operation: Operation) -> Operation:
        """Add a new operation and return it as stored, with version 1.

        Raises:
            Conflict: an operation of that id exists.
            BackupBusy: it has started already, and another operation locks its backup.
            ResourceBusy: as for ``write``.
        """

    def write(self, operations: Sequence[Operation]) -> Mapping[str, Operation | KarborBackupError]:
        """Replace the versions that were read, many at little more than the cost of one.

        Each is written or refused separately, in the order of the ids. An operation that gets its
        outcome with this write changes the backups in the same transaction: ``outcome.backup``, if
        there is one, is stored (for a verify: only if the backup still exists); a succeeded delete
        removes ``operation.backup``. Later writes of the operation do not repeat this.

        Args:
            operations: at most one per id; ``write_one`` of ``stores.common`` writes one.

        Returns:
            For each id the operation as stored, with its next version, or why it was not stored:
            ``Conflict`` if it has been written since it was read, ``BackupBusy`` if another
            operation locks its backup, ``ResourceBusy`` if another one has a shared resource or
            waits for it and came before, ``UnknownOperation`` if the store has no such operation,
            ``StoreError`` if the store could not be used.
        """

    def operation(self, operation_id: str) -> Operation:
        """Return one operation.

        Raises:
            UnknownOperation: the store has no such operation.
        """

    def operations(self, *, unreleased: bool = False) -> Sequence[Operation]:
        """Return all operations, or only those that are not released; the oldest first."""

    def unowned(self, now: datetime, lease: timedelta) -> Sequence[Operation]:
        """Return the operations that are not released and that no process drives; oldest first.

        The operations of living owners are not read, so this costs little where many are driven.

        Args:
            now: the present instant, by the clock that leases are written with.
            lease: the duration of a lease, where the owner's name does not say it; ``is_free`` of
                ``owners`` has the rule.
        """

    def cancel_requests(self, owner: str) -> Sequence[str]:
        """Return the ids of that owner's operations that are to be cancelled.

        These have ``cancel_requested``, no ``cancel_sent`` and no outcome. The method is called at
        every poll, so it is one cheap query.
        """

    def now(self) -> datetime | None:
        """Return the store's own time, in UTC; None if it has no clock of its own.

        Leases are written and compared by it, so that processes with different clocks agree.
        """

    def renew_lease(self, owner: str, lease_until: datetime) -> None:
        """Extend the lease on all of that owner's operations; their versions stay.

        It is one row for each owner. From then on it is the lease of each of that owner's
        operations, whatever was written with the operation.
        """

    def delete_lease(self, owner: str) -> None:
        """Remove the lease of an owner that drives no operations any more."""

    def take_over(self, operation: Operation, seen: Operation) -> Operation:
        """Write as ``write`` does, provided that the lease is still the one in ``seen``.

        An owner that has renewed its lease in the meantime therefore keeps the operation.

        Raises:
            Conflict: the operation has been written, or its lease renewed, since it was read.
            BackupBusy: another operation locks its backup.
            ResourceBusy: as for ``write``.
            UnknownOperation: the store has no such operation.
        """

    def purge(self, before: datetime) -> int:
        """Remove the released operations that were created before an instant; return their number.

        Backups stay, also those that removed operations have made.
        """

    def put_backup(self, backup: Backup) -> None:
        """Add a backup that was made elsewhere; it replaces one with the same id."""

    def backup(self, backup_id: str) -> Backup:
        """Return one backup.

        Raises:
            UnknownBackup: the store has no such backup.
        """

    def backups(self) -> Sequence[Backup]:
        """Return all backups, the oldest first."""

    def own_paths(self) -> Sequence[str]:
        """Return the absolute paths of the store's files on this host."""

    def close(self) -> None:
        """Close connections and files."""
