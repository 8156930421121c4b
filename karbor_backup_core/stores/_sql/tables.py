"""The tables of the SQL store, and their schema version.

Only features that all databases of SQLAlchemy have in common are used. Instants are text, because
databases differ in time zones and fractions of seconds: the text of ``documents`` has one width and
sorts. An operation is stored as one JSON document; the other columns are those that queries use.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import sqlalchemy as sa
import tenacity
from sqlalchemy.dialects import mysql

from karbor_backup_core._errors import StoreError, StoreNotFound
from karbor_backup_core._identifiers import SHARED_NAME_LIMIT
from karbor_backup_core.stores._sql.engine import display_url

SCHEMA_VERSION: Final = 3
"""Raised with each change of the tables; ``docs/reference/stores.md`` says how."""

_metadata: Final = sa.MetaData()

# MySQL compares text regardless of case unless told otherwise, and its TEXT ends at 64 KiB.
_ON_MYSQL: Final[dict[str, Any]] = {
    f"{database}_{option}": value
    for database in ("mysql", "mariadb")
    for option, value in (("charset", "utf8mb4"), ("collate", "utf8mb4_bin"))
}
_Document = sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")
_Id = sa.String(512)
_Instant = sa.String(32)

operations: Final = sa.Table(
    "operations",
    _metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("state", sa.String(16), nullable=False, index=True),
    sa.Column("owner", sa.String(255), nullable=False, index=True),
    sa.Column("cancel_requested", sa.Boolean, nullable=False),
    sa.Column("cancel_sent", sa.Boolean, nullable=False),
    sa.Column("has_outcome", sa.Boolean, nullable=False),
    sa.Column("created_at", _Instant, nullable=False, index=True),
    sa.Column("document", _Document, nullable=False),
    **_ON_MYSQL,
)

backups: Final = sa.Table(
    "backups",
    _metadata,
    sa.Column("id", _Id, primary_key=True),
    sa.Column("created_at", _Instant, nullable=False, index=True),
    sa.Column("document", _Document, nullable=False),
    **_ON_MYSQL,
)

backup_locks: Final = sa.Table(
    "backup_locks",
    _metadata,
    sa.Column("backup_id", _Id, primary_key=True),
    sa.Column("operation_id", _Id, sa.ForeignKey(operations.c.id), nullable=False, index=True),
    **_ON_MYSQL,
)
"""Which operation holds which backup: the primary key is what makes the hold exclusive."""

# The name is shorter than other texts: with an id it just fits into a key of MySQL.
_Name = sa.String(SHARED_NAME_LIMIT)

shared_resources: Final = sa.Table(
    "shared_resources",
    _metadata,
    sa.Column("name", _Name, primary_key=True),
    sa.Column("acquisitions", sa.BigInteger, nullable=False),
    **_ON_MYSQL,
)
"""One row for each resource: who writes it is the only one to acquire the resource meanwhile."""

resource_locks: Final = sa.Table(
    "resource_locks",
    _metadata,
    sa.Column("name", _Name, primary_key=True),
    sa.Column("operation_id", _Id, sa.ForeignKey(operations.c.id), primary_key=True, index=True),
    sa.Column("exclusive", sa.Boolean, nullable=False),
    sa.Column("pending", sa.Boolean, nullable=False),
    **_ON_MYSQL,
)
"""Which operations use which resource, and which of them wait for it."""

leases: Final = sa.Table(
    "leases",
    _metadata,
    sa.Column("owner", sa.String(255), primary_key=True),
    sa.Column("lease_until", _Instant, nullable=False),
    **_ON_MYSQL,
)
"""One row for each process: a renewal touches no operation, and waits for no write of one."""

_schema_version: Final = sa.Table(
    "schema_version",
    _metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("version", sa.Integer, nullable=False),
    **_ON_MYSQL,
)


def check_or_create_tables(engine: sa.Engine, *, create: bool) -> bool:
    """Check that the tables are of this version; those of an earlier one are brought to it.

    Args:
        engine: of the database.
        create: create the tables where there are none.

    Returns:
        Whether the tables were created just now.

    Raises:
        StoreNotFound: there are no tables, and ``create`` is False.
        StoreError: the tables are of a version that cannot be used.
        sqlalchemy.exc.SQLAlchemyError: the database cannot be used.
    """
    with engine.begin() as connection:
        found = _read_schema_version(connection)
    missing = found is None
    if missing and not create:
        raise StoreNotFound(
            f"there is no store in {display_url(engine.url)} yet: the first protect makes it; if "
            "there should be one, look at the store's URL in the configuration"
        )
    if missing or found in _MIGRATIONS:
        found = _create_or_migrate_tables(engine)
    if found != SCHEMA_VERSION:
        raise StoreError(
            f"the store {display_url(engine.url)} has tables of version {found}, and this release "
            f"knows version {SCHEMA_VERSION}: use the release of karbor-backup that wrote them, "
            "or a newer one"
        )
    return missing


# Two processes may find an empty database at once. Where the creation of tables is no transaction,
# or does not exclude another one, the slower process fails and then finds the tables created.
@tenacity.retry(
    retry=tenacity.retry_if_exception_type(sa.exc.DBAPIError),
    stop=tenacity.stop_after_attempt(5),
    wait=tenacity.wait_random(0.05, 0.5),
    reraise=True,
)
def _create_or_migrate_tables(engine: sa.Engine) -> int:
    with engine.begin() as connection:
        found = _read_schema_version(connection)
        if found is None:
            _metadata.create_all(connection)
            connection.execute(sa.insert(_schema_version).values(id=1, version=SCHEMA_VERSION))
            found = SCHEMA_VERSION
        while found in _MIGRATIONS:
            _MIGRATIONS[found](connection)
            found += 1
            connection.execute(sa.update(_schema_version).values(version=found))
        return found


def _add_resource_locks(connection: sa.Connection) -> None:
    """Bring tables from version 2 to 3; operations that are under way share nothing."""
    for table in (shared_resources, resource_locks):
        table.create(connection, checkfirst=True)


_MIGRATIONS: Final[Mapping[int, Callable[[sa.Connection], None]]] = {2: _add_resource_locks}
"""The step from each earlier version to the next one."""


def _read_schema_version(connection: sa.Connection) -> int | None:
    """Return the schema version; None where not all tables have been created yet."""
    if not sa.inspect(connection).has_table(_schema_version.name):
        return None
    return connection.scalar(sa.select(_schema_version.c.version))
