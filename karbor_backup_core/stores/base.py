"""What every store does: the memory of operations and backups."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from karbor_backup_core._errors import KarborBackupError
from karbor_backup_core._model import Backup, Operation


class Store(Protocol):
    """Remembers operations and backups.

    Every write is compare-and-set on ``Operation.version``, so that two processes on one store
    never drive the same operation. A write is durable when the call returns. Every method may be
    called from any thread, and raises ``StoreError`` when the store cannot be reached.

    An operation holds its backup (``Operation.backup_id``) from the first write with ``phase``
    1 or more until it is written as released; two operations never hold the same one.
    """

    def add(self, operation: Operation) -> Operation:
        """Keep a new operation and answer it as stored, with version 1.

        Raises:
            Conflict: an operation of that id exists.
            BackupBusy: it has begun already, and another operation holds its backup.
        """

    def write(self, operation: Operation) -> Operation:
        """Write over the version that was read; answer the operation with the next version.

        Raises:
            Conflict: the operation has been written since it was read.
            BackupBusy: another operation holds its backup; nothing was written.
            UnknownOperation: the store holds no such operation.
        """

    def write_outcome(self, operation: Operation) -> Operation:
        """Write an operation that has just got its outcome, together with its effect, atomically.

        ``outcome.backup``, where there is one, is kept (for a verify: only if the backup is still
        there); a succeeded delete removes ``operation.backup``.

        Raises:
            Conflict: as ``write``.
            BackupBusy: as ``write``.
            UnknownOperation: as ``write``.
        """

    def write_all(
        self, written: Sequence[Operation], ended: Sequence[Operation]
    ) -> Mapping[str, Operation | KarborBackupError]:
        """Write many operations at little more than the cost of one.

        Args:
            written: to be written as ``write`` does.
            ended: to be written as ``end`` does.

        Returns:
            Per id the operation as stored, or why it was not: each is written or refused by
            itself.
        """

    def operation(self, operation_id: str) -> Operation:
        """Return one operation.

        Raises:
            UnknownOperation: the store holds no such operation.
        """

    def operations(self, *, unreleased: bool = False) -> Sequence[Operation]:
        """Return all operations, or only those that are not released; the oldest first."""

    def cancel_requests(self, owner: str) -> Sequence[str]:
        """Return the ids of that owner's operations that are to be cancelled.

        Those with ``cancel_requested``, without ``cancel_sent`` and without an outcome. It is asked
        at every poll: one cheap query.
        """

    def now(self) -> datetime | None:
        """Return the store's own time, in UTC; None where it has no clock of its own.

        Leases are written and judged by it, so that processes whose clocks differ agree.
        """

    def renew_lease(self, owner: str, lease_until: datetime) -> None:
        """Prolong the lease on all of that owner's operations; their versions stay.

        It is one row for each owner. From then on it is the lease of each of that owner's
        operations, whatever was written with the operation.
        """

    def delete_lease(self, owner: str) -> None:
        """Remove the lease of an owner that holds no operations any more."""

    def take_over(self, operation: Operation, seen: Operation) -> Operation:
        """Write as ``write`` does, provided that the lease is still the one that was seen.

        So an owner that renewed its lease in the meantime keeps the operation.

        Raises:
            Conflict: the operation has been written, or its lease renewed, since it was seen.
        """

    def purge(self, before: datetime) -> int:
        """Forget the released operations that were begun before an instant; answer how many.

        Backups stay, whatever becomes of the operations that made them.
        """

    def put_backup(self, backup: Backup) -> None:
        """Remember a backup that was made elsewhere; one of the same id is replaced."""

    def backup(self, backup_id: str) -> Backup:
        """Return one backup.

        Raises:
            UnknownBackup: the store holds no such backup.
        """

    def backups(self) -> Sequence[Backup]:
        """Return all backups, the oldest first."""

    def own_paths(self) -> Sequence[str]:
        """Return the absolute paths of the files on this host that the store is kept in."""

    def close(self) -> None:
        """Let go of connections and files."""
