"""The locks of operations on shared resources, within the transaction of a write.

An operation that shares nothing costs no statement here.
"""

import sqlalchemy as sa

from karbor_backup_core._errors import ResourceBusy
from karbor_backup_core._model import Operation, SharedResource
from karbor_backup_core.stores import common
from karbor_backup_core.stores._sql import rows, statements
from karbor_backup_core.stores._sql.savepoints import try_insert


def acquire(connection: sa.Connection, operation: Operation) -> None:
    """Give an operation all of its shared resources; it has none of them yet.

    Raises:
        ResourceBusy: another operation has one of them, or came before and waits for it; the
            transaction must be rolled back.
    """
    resources = common.sort_by_name(operation.shared_resources)
    for shared in resources:
        _enter(connection, shared.name)
        _check(connection, operation, shared)
    if resources:
        _replace(connection, operation, pending=False)


def release(connection: sa.Connection, operation: Operation) -> None:
    """Take an operation's shared resources from it; one that waits for them keeps its turn."""
    if common.is_lock_pending(operation):
        _replace(connection, operation, pending=True)
    elif operation.shared_resources:
        connection.execute(statements.DELETE_RESOURCE_LOCKS, {"this": operation.id})


def _enter(connection: sa.Connection, name: str) -> None:
    """Let no other transaction acquire a resource until this one has ended.

    A look at the locks of others alone would not see those that are not committed yet.
    """
    values = {"this": name}
    if connection.execute(statements.UPDATE_SHARED_RESOURCE, values).rowcount:
        return
    new = {"name": name, "acquisitions": 1}
    if not try_insert(connection, statements.INSERT_SHARED_RESOURCE, new):
        connection.execute(statements.UPDATE_SHARED_RESOURCE, values)


def _check(connection: sa.Connection, operation: Operation, shared: SharedResource) -> None:
    values = {
        "resource": shared.name,
        "this": operation.id,
        "alone": shared.exclusive,
        "turn": rows.format_instant(operation.created_at),
    }
    barring = connection.execute(statements.SELECT_BARRING_LOCK, values).first()
    if barring is not None:
        raise ResourceBusy(shared.name, barring.operation_id, pending=bool(barring.pending))


def _replace(connection: sa.Connection, operation: Operation, *, pending: bool) -> None:
    connection.execute(statements.DELETE_RESOURCE_LOCKS, {"this": operation.id})
    for shared in operation.shared_resources:
        row = {
            "name": shared.name,
            "operation_id": operation.id,
            "exclusive": shared.exclusive,
            "pending": pending,
        }
        connection.execute(statements.INSERT_RESOURCE_LOCK, row)
