"""One-line messages for database errors, with what to do."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import sqlalchemy as sa

_DISK_FULL: Final = "the disk is full: make room there, then run the command again"
_MIN_FREE_BYTES: Final = 64 * 1024
"""Bytes: SQLite makes its file of shared memory, which every use needs, 32 KiB at a time."""

_REMEDIES: Final = (
    ("SQLITE_FULL", _DISK_FULL),
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


def format_error(error: sa.exc.SQLAlchemyError, files: Sequence[str] = ()) -> str:
    """Return a one-line message: the database's own text, and what to do about it.

    Args:
        error: what the database reported.
        files: the database's files on this host.
    """
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
    line = next(iter(str(cause).splitlines()), type(cause).__name__)
    name = getattr(cause, "sqlite_errorname", None) or ""
    # Where SQLite cannot enlarge its shared memory, it reports only that a write failed.
    if name.startswith("SQLITE_IOERR") and any(_is_disk_full(Path(file).parent) for file in files):
        return f"{line}: {_DISK_FULL}"
    remedies = (remedy for beginning, remedy in _REMEDIES if name.startswith(beginning))
    return ": ".join([line, *remedies])


def _is_disk_full(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < _MIN_FREE_BYTES
    except OSError:
        return False
