"""The statements of the SQL store.

Each statement is built once, with bind parameters: to build one takes several times as long as to
run it.
"""

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa

from karbor_backup_core._model import State
from karbor_backup_core.stores._sql.tables import (
    backup_locks,
    backups,
    leases,
    operations,
    resource_locks,
    shared_resources,
)


def _select_ids(table: sa.Table) -> sa.Select[tuple[str]]:
    """Create the query for ids with a prefix; on SQLite, LIKE would ignore case."""
    beginning = sa.func.substr(table.c.id, 1, sa.bindparam("length", type_=sa.Integer))
    return sa.select(table.c.id).where(beginning == sa.bindparam("prefix")).order_by(table.c.id)


def _bind_columns(table: sa.Table, *, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return a bind parameter for each column, under the column's name."""
    names = [column.name for column in table.columns if column.name not in without]
    return {name: sa.bindparam(name) for name in names}


_ID: Final[sa.BindParameter[str]] = sa.bindparam("this")
_OPERATION_BY_ID: Final = operations.c.id == _ID
_OWNED: Final = operations.c.owner == sa.bindparam("this_owner")
_OPERATION_ROWS: Final = sa.select(
    operations.c.id, operations.c.document, operations.c.version, leases.c.lease_until
).select_from(operations.outerjoin(leases, leases.c.owner == operations.c.owner))
_BACKUP_ROWS: Final = sa.select(backups.c.id, backups.c.document)

INSERT_OPERATION: Final = sa.insert(operations).values(_bind_columns(operations))

UPDATE_OPERATION: Final = (
    sa.update(operations)
    .where(
        _OPERATION_BY_ID,
        operations.c.version == sa.bindparam("version_read"),
        operations.c.has_outcome == sa.bindparam("had_outcome"),
    )
    .values(_bind_columns(operations, without=("id", "created_at")))
)
"""Whether the stored version has an outcome tells which write brings it."""

UPDATE_IF_LOCKED: Final = UPDATE_OPERATION.where(
    sa.exists().where(
        backup_locks.c.backup_id == sa.bindparam("holds"),
        backup_locks.c.operation_id == _ID,
    )
)
UPDATE_IF_LEASE_UNCHANGED: Final = UPDATE_OPERATION.where(
    ~sa.exists().where(
        operations.c.owner != "",
        leases.c.owner == operations.c.owner,
        leases.c.lease_until != sa.bindparam("lease_seen"),
    )
)
"""The version tells of a lease that came with a write; this of one that was renewed."""

_LEASE_OF_OWNER: Final = leases.c.owner == sa.bindparam("this_owner")
UPDATE_LEASE: Final = (
    sa.update(leases).where(_LEASE_OF_OWNER).values(lease_until=sa.bindparam("until"))
)
INSERT_LEASE: Final = sa.insert(leases).values(_bind_columns(leases))
DELETE_LEASE: Final = sa.delete(leases).where(_LEASE_OF_OWNER)
DELETE_UNUSED_LEASES: Final = sa.delete(leases).where(
    ~sa.exists().where(operations.c.owner == leases.c.owner)
)

SELECT_NOW: Final[Mapping[str, sa.Select[Any]]] = {
    "postgresql": sa.select(sa.func.clock_timestamp()),
    "mysql": sa.select(sa.func.utc_timestamp(6)),
    "mariadb": sa.select(sa.func.utc_timestamp(6)),
}
"""How a database is asked for its time; one in a file has none but its host's."""

SELECT_OPERATION: Final = _OPERATION_ROWS.where(_OPERATION_BY_ID)
SELECT_OPERATIONS: Final = _OPERATION_ROWS.order_by(operations.c.created_at, operations.c.id)
SELECT_UNRELEASED: Final = SELECT_OPERATIONS.where(
    # Not "is not released": an index finds values, and released operations may be millions.
    operations.c.state.in_([each.value for each in State if each is not State.RELEASED])
)
SELECT_NOT_OWNED: Final = SELECT_UNRELEASED.where(
    operations.c.owner.not_in(sa.bindparam("living", expanding=True))
)
SELECT_LEASES: Final = sa.select(leases.c.owner, leases.c.lease_until)
SELECT_OPERATION_IDS: Final = _select_ids(operations)
SELECT_EXISTING: Final = sa.select(operations.c.id).where(_OPERATION_BY_ID)
SELECT_CANCEL_REQUESTS: Final = (
    sa.select(operations.c.id)
    .where(
        _OWNED,
        operations.c.cancel_requested.is_(sa.true()),
        operations.c.cancel_sent.is_(sa.false()),
        operations.c.has_outcome.is_(sa.false()),
    )
    .order_by(operations.c.id)
)

DELETE_RELEASED: Final = sa.delete(operations).where(
    operations.c.state == State.RELEASED.value,
    operations.c.created_at < sa.bindparam("before"),
)

INSERT_BACKUP_LOCK: Final = sa.insert(backup_locks).values(_bind_columns(backup_locks))
SELECT_LOCK_HOLDER: Final = sa.select(backup_locks.c.operation_id).where(
    backup_locks.c.backup_id == _ID
)
DELETE_BACKUP_LOCK: Final = sa.delete(backup_locks).where(backup_locks.c.operation_id == _ID)

UPDATE_SHARED_RESOURCE: Final = (
    sa.update(shared_resources)
    .where(shared_resources.c.name == _ID)
    .values(acquisitions=shared_resources.c.acquisitions + 1)
)
INSERT_SHARED_RESOURCE: Final = sa.insert(shared_resources).values(_bind_columns(shared_resources))
INSERT_RESOURCE_LOCK: Final = sa.insert(resource_locks).values(_bind_columns(resource_locks))
DELETE_RESOURCE_LOCKS: Final = sa.delete(resource_locks).where(resource_locks.c.operation_id == _ID)
_TURN: Final[sa.BindParameter[str]] = sa.bindparam("turn")
SELECT_BARRING_LOCK: Final = (
    sa.select(resource_locks.c.operation_id, resource_locks.c.pending)
    .join_from(resource_locks, operations, operations.c.id == resource_locks.c.operation_id)
    .where(
        resource_locks.c.name == sa.bindparam("resource"),
        resource_locks.c.operation_id != _ID,
        resource_locks.c.exclusive.is_(sa.true()) | sa.bindparam("alone", type_=sa.Boolean),
        resource_locks.c.pending.is_(sa.false())
        | (operations.c.created_at < _TURN)
        | ((operations.c.created_at == _TURN) & (operations.c.id < _ID)),
    )
    .order_by(resource_locks.c.pending, operations.c.created_at, operations.c.id)
    .limit(1)
)
"""The lock that keeps an operation from a resource, or the earlier one that waits for it."""

INSERT_BACKUP: Final = sa.insert(backups).values(_bind_columns(backups))
UPDATE_BACKUP: Final = sa.update(backups).where(backups.c.id == _ID).values(_bind_columns(backups))
DELETE_BACKUP: Final = sa.delete(backups).where(backups.c.id == _ID)
SELECT_BACKUP: Final = _BACKUP_ROWS.where(backups.c.id == _ID)
SELECT_BACKUPS: Final = _BACKUP_ROWS.order_by(backups.c.created_at, backups.c.id)
SELECT_BACKUP_IDS: Final = _select_ids(backups)
