"""What a directory's archive holds of what the directory held when it was stored."""

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any, Final

import attrs

from karbor_backup_freezer.inspection.archive import ArchiveNotRead, BrokenArchive, read_members

MAX_NAMES: Final = 20
"""Names that a check tells; what is beyond is counted."""

_COMPRESSIONS: Final = frozenset({"gzip", "bzip2"})


@attrs.frozen(kw_only=True)
class ArchiveContents:
    """What was seen of an archive's table of contents.

    Attributes:
        members: how many entries it holds, without the directory itself.
        missing: paths that the directory held and the archive does not, up to ``MAX_NAMES``.
        missing_count: how many there are.
        notes: why each of them is, empty where nothing tells; as many, or none.
        unread: why the archive was not read; empty otherwise.
        fault: why it cannot be read to its end; empty otherwise.
    """

    member_count: int = 0
    missing: tuple[str, ...] = ()
    missing_count: int = 0
    reasons: tuple[str, ...] = ()
    unread_reason: str = ""
    problem: str = ""


def read_contents(
    file: IO[bytes], notes: Any, go_on: Callable[[], None] = lambda: None
) -> ArchiveContents:
    """Read an archive to its end and compare it with the lists that tar has put into it.

    The comparison is made in a temporary database on disk, so that memory does not grow.

    Args:
        file: the stored data.
        notes: the agent's notes on it: ``compression`` and ``encryption``.
        go_on: is called before each part is read; what it raises ends the reading.

    Raises:
        OSError: the file cannot be read.
    """
    try:
        compression = check_compression(notes)
        with temporary_table("awaited (name BLOB PRIMARY KEY)") as database:
            return _compare_with_listing(file, compression, go_on, database)
    except BrokenArchive as error:
        return ArchiveContents(problem=f"the archive cannot be read to its end: {error}")
    except ArchiveNotRead as error:
        return ArchiveContents(unread_reason=str(error))


@contextlib.contextmanager
def temporary_table(table: str) -> Iterator[sqlite3.Connection]:
    """Open a database on disk with one table, for names that memory might not hold.

    Args:
        table: the table's name and columns, as in SQL.
    """
    # An empty name makes a database on disk that SQLite removes when it is closed.
    with contextlib.closing(sqlite3.connect("", isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = OFF")
        database.execute(f"CREATE TABLE {table} WITHOUT ROWID")
        database.execute("BEGIN")
        yield database


def check_compression(notes: Any) -> str:
    """Return an archive's compression, by which ``read_members`` can read it.

    Raises:
        ArchiveNotRead: it is encrypted, or of a compression that is not known.
    """
    known = notes if isinstance(notes, dict) else {}
    compression = known.get("compression")
    if known.get("encryption"):
        raise ArchiveNotRead("the archive is encrypted")
    if compression not in _COMPRESSIONS:
        raise ArchiveNotRead(f"the archive's compression {compression!r} is not known")
    return str(compression)


def _compare_with_listing(
    file: IO[bytes], compression: str, go_on: Callable[[], None], database: sqlite3.Connection
) -> ArchiveContents:
    count = -1
    for member in read_members(file, compression, go_on):
        count += 1
        listed = ((name,) for name in member.listed_paths)
        database.executemany("INSERT OR IGNORE INTO awaited VALUES (?)", listed)
        database.execute("DELETE FROM awaited WHERE name = ?", (member.name,))
    if count < 0:
        return ArchiveContents(problem="the archive is empty, without even the directory itself")
    (missing,) = database.execute("SELECT count(*) FROM awaited").fetchone()
    names = database.execute("SELECT name FROM awaited ORDER BY name LIMIT ?", (MAX_NAMES,))
    return ArchiveContents(
        member_count=count,
        missing=tuple(os.fsdecode(name) for (name,) in names),
        missing_count=missing,
    )


def describe_missing(contents: ArchiveContents) -> str:
    """Return what an archive lacks, in words; empty where it lacks nothing."""
    if contents.missing:
        notes = contents.reasons or ("",) * len(contents.missing)
        named = format_counted(
            list(map(_format_name, contents.missing, notes)), contents.missing_count
        )
        return f"not in the backup, though the directory had them: {named}"
    if not contents.member_count:
        return "the directory was empty when it was stored: nothing is in the backup"
    return ""


def format_counted(names: Sequence[str], count: int) -> str:
    """Return the first of so many names in one line, and how many more there are."""
    more = count - len(names)
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")


def _format_name(name: str, note: str) -> str:
    shown = repr(name)[1:-1]
    return f"{shown} ({note})" if note else shown
