"""The writes of the SQL store, each within the transaction of its caller.

Each writes before it reads: SQLite refuses at once a write in a transaction that has read a row
which another one has overwritten since.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from karbor_backup_core._errors import BackupBusy, Conflict, KarborBackupError, UnknownOperation
from karbor_backup_core._model import Backup, Operation, State
from karbor_backup_core.stores import common
from karbor_backup_core.stores._sql import resource_locks, rows, statements
from karbor_backup_core.stores._sql.savepoints import try_insert


def insert_operation(connection: sa.Connection, operation: Operation) -> Operation:
    """Insert a new operation; return it as stored.

    Raises:
        Conflict: an operation of that id exists.
        Busy: it has started already, and another operation has what it needs.
    """
    stored = common.increment_version(common.reset_version(operation))
    if not try_insert(connection, statements.INSERT_OPERATION, rows.operation_to_row(stored)):
        raise common.already_exists_error(operation)
    if common.needs_backup_lock(operation) or common.is_lock_pending(operation):
        _lock_or_unlock(connection, operation)
    return stored


def update_operation(connection: sa.Connection, operation: Operation) -> Operation:
    """Replace the version that was read; return the operation with the next version.

    If the stored version has no outcome and this one has, its effect on backups is applied.

    Raises:
        Conflict: the operation has been written since it was read.
        Busy: another operation has its backup or a shared resource.
        UnknownOperation: there is no such operation.
    """
    stored = common.increment_version(operation)
    values = _update_values(operation, stored)
    # The stored version has an outcome mostly if this is the last write.
    likely = operation.outcome is not None and operation.state is State.RELEASED
    for had_outcome in (likely, not likely):
        if _try_update(connection, {**values, "had_outcome": had_outcome}, operation):
            if not had_outcome:
                _apply_effect(connection, common.backup_effect(operation))
            return stored
    raise _update_error(connection, operation)


def take_over(connection: sa.Connection, operation: Operation, seen: Operation) -> Operation:
    """Write as ``update_operation`` does, provided that the lease is still the one in ``seen``.

    Raises:
        Conflict: the operation has been written, or its lease renewed, since it was seen.
        Busy: as ``update_operation``.
        UnknownOperation: as ``update_operation``.
    """
    stored = common.increment_version(operation)
    lease_seen = "" if seen.lease is None else rows.format_instant(seen.lease.until)
    values = {
        **_update_values(operation, stored),
        "lease_seen": lease_seen,
        "had_outcome": seen.outcome is not None,
    }
    if not connection.execute(statements.UPDATE_IF_LEASE_UNCHANGED, values).rowcount:
        raise _update_error(connection, operation)
    _lock_or_unlock(connection, operation)
    return stored


def update_operations(
    connection: sa.Connection, operations: Iterable[Operation]
) -> dict[str, Operation | KarborBackupError]:
    """Write operations as ``update_operation`` does.

    Returns:
        Per id the operation as stored, or why it was not written.

    Raises:
        KarborBackupError: one was refused after a part of it had been written; the transaction must
            be rolled back.
    """
    stored: dict[str, Operation | KarborBackupError] = {}
    for operation in operations:
        try:
            stored[operation.id] = update_operation(connection, operation)
        except (Conflict, UnknownOperation) as error:
            stored[operation.id] = error
    return stored


def renew_lease(connection: sa.Connection, owner: str, lease_until: datetime) -> None:
    """Write the lease of an owner; a new one removes the leases of idle owners."""
    until = rows.format_instant(lease_until)
    if connection.execute(statements.UPDATE_LEASE, {"this_owner": owner, "until": until}).rowcount:
        return
    connection.execute(statements.DELETE_UNUSED_LEASES)
    if not try_insert(connection, statements.INSERT_LEASE, {"owner": owner, "lease_until": until}):
        connection.execute(statements.UPDATE_LEASE, {"this_owner": owner, "until": until})


def put_backup(connection: sa.Connection, backup: Backup) -> None:
    """Store a backup; it replaces one with the same id."""
    row = rows.backup_to_row(backup)
    if not try_insert(connection, statements.INSERT_BACKUP, row):
        _replace_backup(connection, row)


def _update_values(operation: Operation, stored: Operation) -> dict[str, Any]:
    row = rows.operation_to_row(stored)
    return {**row, "this": operation.id, "version_read": operation.version}


def _try_update(connection: sa.Connection, values: dict[str, Any], operation: Operation) -> bool:
    """Write an operation, and lock or unlock what it uses; return whether the version was found."""
    if common.needs_backup_lock(operation):
        # Mostly it locks its backup already, and so all else; one statement can check and write.
        holding = {**values, "holds": operation.backup_id}
        if connection.execute(statements.UPDATE_IF_LOCKED, holding).rowcount:
            return True
    if not connection.execute(statements.UPDATE_OPERATION, values).rowcount:
        return False
    _lock_or_unlock(connection, operation)
    return True


def _lock_or_unlock(connection: sa.Connection, operation: Operation) -> None:
    """Lock or unlock the backup of an operation, and with it the shared resources."""
    if not common.needs_backup_lock(operation):
        connection.execute(statements.DELETE_BACKUP_LOCK, {"this": operation.id})
        resource_locks.release(connection, operation)
    elif _lock_backup(connection, operation):
        resource_locks.acquire(connection, operation)


def _apply_effect(connection: sa.Connection, effect: common.BackupEffect) -> None:
    if effect.delete:
        connection.execute(statements.DELETE_BACKUP, {"this": effect.delete})
    if effect.put is not None and effect.only_if_present:
        _replace_backup(connection, rows.backup_to_row(effect.put))
    elif effect.put is not None:
        put_backup(connection, effect.put)


def _update_error(connection: sa.Connection, operation: Operation) -> KarborBackupError:
    if connection.scalar(statements.SELECT_EXISTING, {"this": operation.id}) is None:
        return common.unknown_operation_error(operation.id)
    return common.version_conflict_error(operation)


def _lock_backup(connection: sa.Connection, operation: Operation) -> bool:
    """Lock the backup of an operation; return whether it was not locked before.

    Raises:
        BackupBusy: another operation locks it.
    """
    backup_id = operation.backup_id
    hold = {"backup_id": backup_id, "operation_id": operation.id}
    if try_insert(connection, statements.INSERT_BACKUP_LOCK, hold):
        return True
    holder = connection.scalar(statements.SELECT_LOCK_HOLDER, {"this": backup_id})
    if holder != operation.id:
        raise BackupBusy(backup_id, holder or "that has just begun")
    return False


def _replace_backup(connection: sa.Connection, row: dict[str, Any]) -> None:
    connection.execute(statements.UPDATE_BACKUP, {**row, "this": row["id"]})
