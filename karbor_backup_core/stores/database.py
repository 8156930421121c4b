"""From a URL to a database that keeps what it is told: SQLAlchemy, with SQLite set up for it."""

import os
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from karbor_backup_core.errors import InvalidInput, StoreError

_BUSY_SECONDS: Final = 30.0
"""How long SQLite waits for another process's write."""

_PRAGMAS: Final = (
    "PRAGMA journal_mode = WAL",  # readers and the writer do not wait for each other
    "PRAGMA synchronous = FULL",  # in WAL the default may lose the last writes with the power
    "PRAGMA foreign_keys = ON",
)


def engine_for(url: str) -> sa.Engine:
    """Make the engine for a URL; nothing is connected yet, but a new SQLite file is made.

    Raises:
        InvalidInput: it is no URL of a database that can be used here.
        StoreError: the SQLite file cannot be made.
    """
    try:
        parsed = sa.make_url(url)
        dialect = parsed.get_dialect()
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ValueError):
        # Without the cause: some versions repeat the URL in it, with its password.
        raise InvalidInput(
            "the store's URL names no database that SQLAlchemy knows: write it like "
            "sqlite:////path/to/file or postgresql+psycopg://user@host/database"
        ) from None
    if dialect.is_async:
        raise InvalidInput(f"the store's URL names the driver {dialect.driver}: use a blocking one")
    if parsed.get_backend_name() == "sqlite":
        return _sqlite_engine(parsed)
    # MySQL's own default locks the gaps in which a row was looked for in vain, and two that insert
    # there then wait for each other; a store needs no more than what it locks by writing.
    return _made(parsed, pool_pre_ping=True, isolation_level="READ COMMITTED")


def place_of(url: sa.URL) -> str:
    """Name a database so that a person can find it, without anything secret."""
    return url.set(query={}).render_as_string(hide_password=True)


def files_of(url: sa.URL) -> tuple[str, ...]:
    """Answer the absolute paths of the files on this host that a database is kept in."""
    if url.get_backend_name() != "sqlite" or not url.database:
        return ()
    return (str(Path(url.database).absolute()),)


def _made(url: sa.URL, **settings: Any) -> sa.Engine:
    try:
        return sa.create_engine(url, hide_parameters=True, **settings)
    except ModuleNotFoundError as error:
        raise InvalidInput(
            f"the store {place_of(url)} needs the Python package {error.name}: install it"
        ) from error


def _sqlite_engine(url: sa.URL) -> sa.Engine:
    if not url.database or url.database.startswith((":memory:", "file:")):
        raise InvalidInput(
            f"the store {place_of(url)} is no plain file: write sqlite:////path/to/file; for a "
            "store in memory use MemoryStore"
        )
    _make_private(Path(url.database))
    engine = _made(url, connect_args={"timeout": _BUSY_SECONDS})
    sa.event.listen(engine, "connect", _set_up)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _make_private(path: Path) -> None:
    """Make the file, if it is new, readable by its owner only; SQLite's own follow suit."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StoreError(f"the store {path} cannot be opened: {error.strerror}") from error


def _set_up(connection: Any, _: object) -> None:
    # Python's sqlite3 would begin transactions by itself, but too late for a savepoint and never
    # for a change of tables: SQLAlchemy's documentation of its dialect pysqlite has this remedy.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN")
