"""Creates the SQLAlchemy engine for a URL, with SQLite set up for durable writes."""

from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa
import tenacity

from karbor_backup_core._errors import InvalidInput, StoreError
from karbor_backup_core._suggestions import suggest_name
from karbor_backup_core.stores._sql import sqlite_file
from karbor_backup_core.stores._sql.filesystems import network_filesystem_type

_BUSY_SECONDS: Final = 30.0
"""How long SQLite waits for another process's write."""

_PRAGMAS: Final = (
    "PRAGMA synchronous = FULL",  # in WAL, power loss costs the last writes otherwise
    "PRAGMA foreign_keys = ON",
)
_WAL_JOURNAL: Final = "PRAGMA journal_mode = WAL"
"""Readers and the writer do not wait for each other."""

_ROLLBACK_JOURNAL: Final = "PRAGMA journal_mode = DELETE"
"""Needs no memory that is shared, which machines cannot share."""

_SCHEMES: Final = ("sqlite", "postgresql", "postgresql+psycopg", "mysql", "mysql+pymysql")
"""The beginnings of URLs that docs/stores.md shows, and their short forms."""

SERVER_TIMEOUTS: Final[Mapping[str, int]] = {
    "connect_timeout": 5,
    "tcp_user_timeout": 10_000,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
}
"""libpq's parameters: seconds, but milliseconds for ``tcp_user_timeout``.

A server whose host disappears, as in many a failover, closes no connection. By default Linux sends
to it for a quarter of an hour, and for so long no lease could be renewed.
"""

_LIBPQ_DRIVERS: Final = frozenset({"psycopg", "psycopg2"})

_VERSION_TABLE: Final = "schema_version"


def create_engine(
    url: str | sa.URL, *, create: bool, risk_network_filesystem: bool = False
) -> sa.Engine:
    """Create the engine for a URL, without a connection; a missing SQLite file is created.

    Args:
        url: SQLAlchemy's URL of the database.
        create: create an SQLite file that is missing, and its folders.
        risk_network_filesystem: use an SQLite file also on a file system that machines share.

    Raises:
        InvalidInput: the URL names no database that can be used here.
        StoreNotFound: there is no such SQLite file, and ``create`` is False.
        StoreError: the SQLite file cannot be created, or is no database.
    """
    try:
        parsed = sa.make_url(url)
        dialect = parsed.get_dialect()
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ValueError, AttributeError):
        # Without the cause: some versions repeat the URL in it, with its password.
        raise InvalidInput(
            "the store's URL names no database that SQLAlchemy knows: "
            f"{_suggest_scheme(url)}write it like "
            "sqlite:////path/to/file or postgresql+psycopg://user@host/database"
        ) from None
    if dialect.is_async:
        raise InvalidInput(f"the store's URL names the driver {dialect.driver}: use a blocking one")
    if dialect.name == "sqlite":
        return _create_sqlite_engine(parsed, create=create, risk=risk_network_filesystem)
    # MySQL's own default locks the gap of a row that was not found, so that two transactions that
    # insert there deadlock; a store needs no locks but those of its writes.
    settings: dict[str, Any] = {"pool_pre_ping": True, "isolation_level": "READ COMMITTED"}
    if dialect.driver in _LIBPQ_DRIVERS:
        settings["connect_args"] = {
            name: value for name, value in SERVER_TIMEOUTS.items() if name not in parsed.query
        }
    return _create_sa_engine(parsed, **settings)


def _suggest_scheme(url: str | sa.URL) -> str:
    """Return a "did you mean" for the message about a URL, without the URL's secrets."""
    scheme, separator, _ = str(url).partition(":")
    return suggest_name(scheme, _SCHEMES) if separator else ""


def display_url(url: sa.URL) -> str:
    """Return the URL of a database for display, without secrets."""
    if url.get_backend_name() == "sqlite" and url.database:
        return url.database
    return url.set(query={}).render_as_string(hide_password=True)


def database_files(url: sa.URL) -> tuple[str, ...]:
    """Return the absolute paths of a database's files on this host."""
    if url.get_backend_name() != "sqlite" or not url.database:
        return ()
    return (str(sqlite_file.path_from_url(url)),)


def _create_sa_engine(url: sa.URL, **settings: Any) -> sa.Engine:
    try:
        return sa.create_engine(url, hide_parameters=True, **settings)
    except ModuleNotFoundError as error:
        raise InvalidInput(
            f"the store {display_url(url)} needs the Python package {error.name}: install it"
        ) from error


def _create_sqlite_engine(url: sa.URL, *, create: bool, risk: bool) -> sa.Engine:
    path = sqlite_file.path_from_url(url)
    if not risk:
        sqlite_file.check_local_filesystem(path)
    if not sqlite_file.database_exists(path, plain=url.get_driver_name() == "pysqlite"):
        if not create:
            raise sqlite_file.missing_store_error(path)
        sqlite_file.create_private_file(path)
    engine = _create_sa_engine(url.set(database=str(path)), connect_args={"timeout": _BUSY_SECONDS})
    journal = _ROLLBACK_JOURNAL if risk and network_filesystem_type(path) else _WAL_JOURNAL

    def set_up(connection: Any, _: object) -> None:
        # Python's sqlite3 starts transactions by itself, but too late for a savepoint and never for
        # a change of tables; this is the remedy of SQLAlchemy's documentation of pysqlite.
        connection.isolation_level = None
        # Otherwise one text that is not UTF-8 makes a whole query fail.
        connection.text_factory = _decode_text
        _check_own_tables(connection, display_url(engine.url))
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        _set_journal_mode(connection, journal)

    sa.event.listen(engine, "connect", set_up)
    sa.event.listen(engine, "begin", _begin_transaction)
    return engine


def _set_journal_mode(connection: Any, pragma: str) -> None:
    """Set the journal mode; wait for other processes that do so on a new file.

    SQLite's own timeout does not apply here: a change of the journal mode fails at once.
    """
    import sqlite3

    for attempt in tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(sqlite3.OperationalError),
        stop=tenacity.stop_after_delay(_BUSY_SECONDS),
        wait=tenacity.wait_random(0.01, 0.1),
        reraise=True,
    ):
        with attempt:
            connection.execute(pragma)


def _decode_text(content: bytes) -> str:
    return content.decode(errors="surrogateescape")


def _check_own_tables(connection: Any, place: str) -> None:
    """Refuse a database that has tables of another program, before anything is written."""
    names = {
        name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")
    }
    if names and _VERSION_TABLE not in names:
        raise StoreError(
            f"the store {place} cannot be used: it is a database of another program's (its first "
            f"table is {min(names)}): look at the store's URL"
        )


def _begin_transaction(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN")
