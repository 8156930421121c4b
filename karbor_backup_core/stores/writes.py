"""The writes of the SQL store, each within a transaction of its caller's.

Each writes before it reads: SQLite refuses, without waiting, to let a transaction write that has
read what another one has overwritten since.
"""

import contextlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from karbor_backup_core.errors import (
    BackupBusy,
    Conflict,
    KarborBackupError,
    UnknownOperation,
)
from karbor_backup_core.model import Backup, Operation
from karbor_backup_core.stores import rows, rules, statements


def add(connection: sa.Connection, operation: Operation) -> Operation:
    """Insert a new operation; answer it as stored.

    Raises:
        Conflict: an operation of that id exists.
        BackupBusy: it has begun already, and another operation holds its backup.
    """
    stored = rules.next_version(rules.unwritten(operation))
    if not _inserted(connection, statements.INSERT_OPERATION, rows.row_of_operation(stored)):
        raise rules.already_there(operation)
    if rules.holds_backup(operation):
        _hold(connection, operation)
    return stored


def overwrite(connection: sa.Connection, operation: Operation) -> Operation:
    """Write over the version that was read; answer the operation with the next version.

    Raises:
        Conflict: the operation has been written since it was read.
        BackupBusy: another operation holds its backup.
        UnknownOperation: there is no such operation.
    """
    stored = rules.next_version(operation)
    values = _over(operation, stored)
    if rules.holds_backup(operation):
        # Mostly it holds its backup already, which one statement can tell and write.
        holding = {**values, "holds": operation.backup_id}
        if connection.execute(statements.WRITE_IF_HOLDING, holding).rowcount:
            return stored
    _write(connection, statements.WRITE, values, operation)
    return stored


def take(connection: sa.Connection, operation: Operation, seen: Operation) -> Operation:
    """Write as ``overwrite`` does, provided that the lease is still the one that was seen.

    Raises:
        Conflict: the operation has been written, or its lease renewed, since it was seen.
        BackupBusy: as ``overwrite``.
        UnknownOperation: as ``overwrite``.
    """
    stored = rules.next_version(operation)
    lease_seen = rows.instant_text(seen.lease_until) or ""
    values = {**_over(operation, stored), "lease_seen": lease_seen}
    _write(connection, statements.WRITE_IF_LEASED, values, operation)
    return stored


def end(connection: sa.Connection, operation: Operation, effect: rules.Effect) -> Operation:
    """Write as ``overwrite`` does, and what the end does to the remembered backups.

    Raises:
        Conflict: as ``overwrite``.
        BackupBusy: as ``overwrite``.
        UnknownOperation: as ``overwrite``.
    """
    stored = overwrite(connection, operation)
    if effect.forget:
        connection.execute(statements.FORGET_BACKUP, {"this": effect.forget})
    if effect.keep is not None and effect.only_if_there:
        _replaced(connection, rows.row_of_backup(effect.keep))
    elif effect.keep is not None:
        keep(connection, effect.keep)
    return stored


def all_of(
    connection: sa.Connection, some: Iterable[tuple[Operation, rules.Effect | None]]
) -> dict[str, Operation | KarborBackupError]:
    """Write operations, those with an effect as ``end`` does, the others as ``overwrite`` does.

    Returns:
        Per id the operation as stored, or why it has not been touched.

    Raises:
        KarborBackupError: one was refused when a part of it had been written already; the
            transaction must not take effect.
    """
    stored: dict[str, Operation | KarborBackupError] = {}
    for operation, effect in some:
        try:
            stored[operation.id] = (
                overwrite(connection, operation)
                if effect is None
                else end(connection, operation, effect)
            )
        except (Conflict, UnknownOperation) as error:
            stored[operation.id] = error
    return stored


def renew(connection: sa.Connection, owner: str, lease_until: datetime) -> None:
    """Write the lease of an owner; with an owner's first one, those that hold nothing go."""
    until = rows.instant_text(lease_until)
    if connection.execute(statements.RENEW, {"this_owner": owner, "until": until}).rowcount:
        return
    connection.execute(statements.PURGE_LEASES)
    if not _inserted(connection, statements.INSERT_LEASE, {"owner": owner, "lease_until": until}):
        connection.execute(statements.RENEW, {"this_owner": owner, "until": until})


def keep(connection: sa.Connection, backup: Backup) -> None:
    """Remember a backup; one of the same id is replaced."""
    row = rows.row_of_backup(backup)
    if not _inserted(connection, statements.INSERT_BACKUP, row):
        _replaced(connection, row)


def _over(operation: Operation, stored: Operation) -> dict[str, Any]:
    row = rows.row_of_operation(stored)
    return {**row, "this": operation.id, "version_read": operation.version}


def _write(
    connection: sa.Connection, statement: sa.Update, values: dict[str, Any], operation: Operation
) -> None:
    """Write an operation, and hold its backup for it or let go of what it held."""
    if connection.execute(statement, values).rowcount == 0:
        raise _not_written(connection, operation)
    if rules.holds_backup(operation):
        _hold(connection, operation)
    else:
        connection.execute(statements.LET_GO, {"this": operation.id})


def _not_written(connection: sa.Connection, operation: Operation) -> KarborBackupError:
    if connection.scalar(statements.IS_THERE, {"this": operation.id}) is None:
        return rules.no_operation(operation.id)
    return rules.overtaken(operation)


def _hold(connection: sa.Connection, operation: Operation) -> None:
    backup_id = operation.backup_id
    hold = {"backup_id": backup_id, "operation_id": operation.id}
    if _inserted(connection, statements.HOLD, hold):
        return
    holder = connection.scalar(statements.HOLDER, {"this": backup_id})
    if holder != operation.id:
        raise BackupBusy(backup_id, holder or "that has just begun")


def _replaced(connection: sa.Connection, row: dict[str, Any]) -> None:
    connection.execute(statements.REPLACE_BACKUP, {**row, "this": row["id"]})


def _inserted(connection: sa.Connection, statement: sa.Insert, row: dict[str, Any]) -> bool:
    """Insert a row unless its key is taken; say whether it was inserted."""
    try:
        with _recoverable(connection):
            connection.execute(statement, row)
    except sa.exc.IntegrityError:
        return False
    return True


def _recoverable(connection: sa.Connection) -> contextlib.AbstractContextManager[object]:
    """Let a transaction go on after a statement that failed.

    SQLite undoes what the statement did and no more; PostgreSQL would refuse all that follows.
    """
    if connection.dialect.name == "sqlite":
        return contextlib.nullcontext()
    return connection.begin_nested()
