"""What the SQL store asks and tells its database.

Each statement is built once, with places for values: to build one takes several times as long as
to run it.
"""

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa

from karbor_backup_core.model import State
from karbor_backup_core.stores.schema import backups, held_backups, leases, operations


def _ids(table: sa.Table) -> sa.Select[tuple[str]]:
    """Create the query for the ids that begin with a text; LIKE would know no case on SQLite."""
    beginning = sa.func.substr(table.c.id, 1, sa.bindparam("length", type_=sa.Integer))
    return sa.select(table.c.id).where(beginning == sa.bindparam("prefix")).order_by(table.c.id)


def _places(table: sa.Table, *, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """Answer a place for the value of each column, under the column's name."""
    names = [column.name for column in table.columns if column.name not in without]
    return {name: sa.bindparam(name) for name in names}


_THIS: Final[sa.BindParameter[str]] = sa.bindparam("this")
_THIS_OPERATION: Final = operations.c.id == _THIS
_MINE: Final = operations.c.owner == sa.bindparam("this_owner")
_OPERATIONS: Final = sa.select(
    operations.c.id, operations.c.document, operations.c.version, leases.c.lease_until
).select_from(operations.outerjoin(leases, leases.c.owner == operations.c.owner))
_BACKUPS: Final = sa.select(backups.c.id, backups.c.document)

INSERT_OPERATION: Final = sa.insert(operations).values(_places(operations))

WRITE: Final = (
    sa.update(operations)
    .where(_THIS_OPERATION, operations.c.version == sa.bindparam("version_read"))
    .values(_places(operations, without=("id", "created_at")))
)
WRITE_IF_HOLDING: Final = WRITE.where(
    sa.exists().where(
        held_backups.c.backup_id == sa.bindparam("holds"),
        held_backups.c.operation_id == _THIS,
    )
)
WRITE_IF_LEASED: Final = WRITE.where(
    ~sa.exists().where(
        leases.c.owner == operations.c.owner,
        leases.c.lease_until != sa.bindparam("lease_seen"),
    )
)
"""The version tells of a lease that came with a write; this of one that was renewed."""

_LEASE: Final = leases.c.owner == sa.bindparam("this_owner")
RENEW: Final = sa.update(leases).where(_LEASE).values(lease_until=sa.bindparam("until"))
INSERT_LEASE: Final = sa.insert(leases).values(_places(leases))
END_LEASE: Final = sa.delete(leases).where(_LEASE)
PURGE_LEASES: Final = sa.delete(leases).where(
    ~sa.exists().where(operations.c.owner == leases.c.owner)
)

NOW: Final[Mapping[str, sa.Select[Any]]] = {
    "postgresql": sa.select(sa.func.clock_timestamp()),
    "mysql": sa.select(sa.func.utc_timestamp(6)),
    "mariadb": sa.select(sa.func.utc_timestamp(6)),
}
"""How a database is asked for its time; one in a file has none but its host's."""

OPERATION: Final = _OPERATIONS.where(_THIS_OPERATION)
OPERATIONS: Final = _OPERATIONS.order_by(operations.c.created_at, operations.c.id)
UNRELEASED: Final = OPERATIONS.where(operations.c.state != State.RELEASED.value)
OPERATION_IDS: Final = _ids(operations)
IS_THERE: Final = sa.select(operations.c.id).where(_THIS_OPERATION)
CANCEL_REQUESTS: Final = (
    sa.select(operations.c.id)
    .where(
        _MINE,
        operations.c.cancel_requested.is_(sa.true()),
        operations.c.cancel_sent.is_(sa.false()),
        operations.c.has_outcome.is_(sa.false()),
    )
    .order_by(operations.c.id)
)

PURGE: Final = sa.delete(operations).where(
    operations.c.state == State.RELEASED.value,
    operations.c.created_at < sa.bindparam("before"),
)

HOLD: Final = sa.insert(held_backups).values(_places(held_backups))
HOLDER: Final = sa.select(held_backups.c.operation_id).where(held_backups.c.backup_id == _THIS)
LET_GO: Final = sa.delete(held_backups).where(held_backups.c.operation_id == _THIS)

INSERT_BACKUP: Final = sa.insert(backups).values(_places(backups))
REPLACE_BACKUP: Final = sa.update(backups).where(backups.c.id == _THIS).values(_places(backups))
FORGET_BACKUP: Final = sa.delete(backups).where(backups.c.id == _THIS)
BACKUP: Final = _BACKUPS.where(backups.c.id == _THIS)
BACKUPS: Final = _BACKUPS.order_by(backups.c.created_at, backups.c.id)
BACKUP_IDS: Final = _ids(backups)
