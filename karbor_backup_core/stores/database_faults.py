"""What a database reports, in a line that says what to do."""

from typing import Final

import sqlalchemy as sa

_REMEDIES: Final = (
    ("SQLITE_FULL", "the disk is full: make room there, then run the command again"),
    ("SQLITE_BUSY", "another process keeps it locked: wait for that process, or end it"),
    ("SQLITE_LOCKED", "another process keeps it locked: wait for that process, or end it"),
    (
        "SQLITE_READONLY",
        "it cannot be written: look at the permissions of the file, the folder and the mount",
    ),
    (
        "SQLITE_CANTOPEN",
        "it cannot be opened: look at the permissions of the file and of its folder",
    ),
    (
        "SQLITE_IOERR",
        "reading or writing failed: look at the disk's room and health, and at limits of sizes",
    ),
    ("SQLITE_CORRUPT", "it is damaged: put back a copy of it, or see sqlite3's command .recover"),
    ("SQLITE_NOTADB", "it is no SQLite database: look at the store's URL"),
    ("SQLITE_PERM", "it cannot be opened: look at the permissions of the file and of its folder"),
)
"""By the beginning of SQLite's name for an error (https://sqlite.org/rescode.html)."""


def explain(error: sa.exc.SQLAlchemyError) -> str:
    """Return what went wrong, in one line: the database's own words, and what to do about it."""
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    line = next(iter(str(cause).splitlines()), type(cause).__name__)
    name = getattr(cause, "sqlite_errorname", None) or ""
    remedies = (remedy for beginning, remedy in _REMEDIES if name.startswith(beginning))
    return ": ".join([line, *remedies])
