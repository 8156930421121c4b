"""What a restore of a directory has brought back, compared with the archive that it is from."""

import contextlib
import functools
import grp
import os
import pwd
import sqlite3
import stat
import tarfile
from collections.abc import Callable, Iterator, Mapping
from typing import IO, Any, Final

import attrs

from karbor_backup_core import BackendError, Check, InvalidInput
from karbor_backup_freezer.directories import hosts
from karbor_backup_freezer.directories.mounts import printable_path
from karbor_backup_freezer.inspection import DataInspector
from karbor_backup_freezer.inspection.archive import (
    ArchiveMember,
    ArchiveNotRead,
    BrokenArchive,
    read_members,
)
from karbor_backup_freezer.inspection.contents import (
    MAX_NAMES,
    check_compression,
    format_counted,
    temporary_table,
)
from karbor_backup_freezer.inspection.layout import BackupLocation
from karbor_backup_freezer.model.items import StoredItem
from karbor_backup_freezer.model.storages import Storage

RESTORED_CHECK: Final = "restored contents"

_UNSEEN: Final = "cannot be seen by this user"
_UNREADABLE: Final = "cannot be read by this user, and is not compared"
_MISSING: Final = "in the backup and not restored"
_SURPLUS: Final = "there and not in the backup"

_KINDS: Final[Mapping[bytes, tuple[str, Callable[[int], bool]]]] = {
    b"D": ("directory", stat.S_ISDIR),
    tarfile.DIRTYPE: ("directory", stat.S_ISDIR),
    tarfile.REGTYPE: ("file", stat.S_ISREG),
    tarfile.AREGTYPE: ("file", stat.S_ISREG),
    tarfile.CONTTYPE: ("file", stat.S_ISREG),
    tarfile.SYMTYPE: ("symbolic link", stat.S_ISLNK),
    tarfile.FIFOTYPE: ("FIFO", stat.S_ISFIFO),
    tarfile.CHRTYPE: ("character device", stat.S_ISCHR),
    tarfile.BLKTYPE: ("block device", stat.S_ISBLK),
}
"""What a member of each type is; a hard link (``1``) may be anything but a directory."""

_FILES: Final = frozenset({tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE})


def restored_contents_check(
    inspector: DataInspector,
    storage: Storage,
    location: BackupLocation,
    stored: StoredItem,
    path: str,
    hostname: str,
) -> Check:
    """Compare what is in a directory after its restore with the archive.

    Args:
        inspector: reads the archive.
        storage: where the archive is.
        location: the place of the protect's data.
        stored: the directory's item.
        path: what was restored to.
        hostname: of the host that was restored on, as its scheduler registered it.

    Raises:
        ReadInProgress: the archive has not been read to its end yet: ask again.
    """
    if not hosts.is_local_host(hostname):
        return unknown_contents(f"it was restored on host {hostname!r}")

    def read(notes: Any) -> Callable[[IO[bytes], Callable[[], None]], str]:
        return functools.partial(describe_differences, notes=notes, folder=path)

    try:
        differences = inspector.read_directory(storage, location, stored, path, read)
    except (ArchiveNotRead, BackendError, BrokenArchive, InvalidInput, OSError) as error:
        return unknown_contents(str(error))
    return Check(RESTORED_CHECK, verified=not differences, reason=differences)


def unknown_contents(why: str) -> Check:
    """Return the check of a restore whose result cannot be compared with the archive."""
    reason = f"not compared with the backup, as far as can be seen from here: {why}"
    return Check(RESTORED_CHECK, verified=False, reason=reason)


def describe_differences(
    file: IO[bytes], go_on: Callable[[], None], *, notes: Any, folder: str
) -> str:
    """Return in what a directory differs from an archive.

    Names, kinds, contents, links, modes, owners and times of modification are compared. The archive
    and the files are read in a stream and the names are kept in a database on disk, so that memory
    does not grow with either. Mounts below the directory are not entered.

    Args:
        file: the archive.
        go_on: is called before each part is read; what it raises ends the reading.
        notes: the agent's notes on the archive.
        folder: the directory.

    Returns:
        Each difference with its paths, ``MAX_NAMES`` of them by name and the others counted;
        empty where there is none.

    Raises:
        ArchiveNotRead: the archive is of a form that is not known.
        BrokenArchive: it is damaged or cut off.
        OSError: it cannot be read.
    """
    compression = check_compression(notes)
    found = _Differences()
    root = os.fsencode(folder)
    with temporary_table("members (name BLOB PRIMARY KEY, folder INTEGER)") as database:
        for member in read_members(file, compression, go_on):
            is_folder = member.header.type in (b"D", tarfile.DIRTYPE)
            database.execute(
                "INSERT OR IGNORE INTO members VALUES (?, ?)", (member.name, is_folder)
            )
            for aspect in _compare_member(root, member):
                found.add(aspect, member.name)
        for name in _find_surplus(root, database, go_on):
            found.add(_SURPLUS, name)
    return found.describe()


@attrs.define
class _Differences:
    """Paths by what is different of them, the first ones by name."""

    _names: dict[str, list[bytes]] = attrs.field(factory=dict)
    _counts: dict[str, int] = attrs.field(factory=dict)

    def add(self, aspect: str, name: bytes) -> None:
        self._counts[aspect] = self._counts.get(aspect, 0) + 1
        names = self._names.setdefault(aspect, [])
        if len(names) < MAX_NAMES:
            names.append(name)

    def describe(self) -> str:
        return "; ".join(self._describe(aspect) for aspect in self._names)

    def _describe(self, aspect: str) -> str:
        names = [printable_path(os.fsdecode(name or b".")) for name in self._names[aspect]]
        return f"{aspect}: {format_counted(names, self._counts[aspect])}"


def _compare_member(root: bytes, member: ArchiveMember) -> Iterator[str]:
    """Yield in what a restored file differs from its archive."""
    header = member.header
    path = os.path.join(root, member.name)  # noqa: PTH118 - the name may be of any bytes
    try:
        seen = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        yield _MISSING
        return
    except OSError:
        yield _UNSEEN
        return
    kind, has_kind = _KINDS.get(header.type, ("file", lambda mode: not stat.S_ISDIR(mode)))
    if not has_kind(seen.st_mode):
        yield f"no {kind}, as in the backup"
        return
    if header.type in _FILES:
        yield from _compare_content(path, member, seen)
    yield from _compare_link(root, path, member, seen)
    yield from _compare_attributes(header, seen)


def _compare_content(path: bytes, member: ArchiveMember, seen: os.stat_result) -> Iterator[str]:
    if seen.st_size != member.header.size:
        yield "of another size than in the backup"
        return
    try:
        # What is put in the file's place meanwhile, such as a FIFO, is not waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        yield _UNREADABLE
        return
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor
        if any(file.read(len(chunk)) != chunk for chunk in member.content):
            yield "of other content than in the backup"


def _compare_link(
    root: bytes, path: bytes, member: ArchiveMember, seen: os.stat_result
) -> Iterator[str]:
    """Compare where a link leads: a symbolic one's text, and the file that a hard one is."""
    try:
        match member.header.type:
            case tarfile.SYMTYPE:
                same = os.readlink(path) == member.link  # noqa: PTH115 - the name may be of any bytes
            case tarfile.LNKTYPE:
                target = os.path.join(root, member.link)  # noqa: PTH118 - the name may be of any bytes
                same = os.path.samestat(seen, os.lstat(target))
            case _:
                return
    except OSError:
        same = False
    if not same:
        yield "a link to something else than in the backup"


def _compare_attributes(header: tarfile.TarInfo, seen: os.stat_result) -> Iterator[str]:
    # tar notes whole seconds.
    if header.type in _FILES and int(seen.st_mtime) != int(header.mtime):
        yield "of another time of modification than in the backup"
    if header.type != tarfile.SYMTYPE and stat.S_IMODE(seen.st_mode) != stat.S_IMODE(header.mode):
        yield "of another mode than in the backup"
    if seen.st_uid != _user_id(header.uname, header.uid):
        yield "of another owner than in the backup"
    if seen.st_gid != _group_id(header.gname, header.gid):
        yield "of another group than in the backup"


def _find_surplus(
    root: bytes, database: sqlite3.Connection, go_on: Callable[[], None]
) -> Iterator[bytes]:
    """Yield what lies in the archive's directories and is not in it; mounts are passed over."""
    device = os.lstat(root).st_dev
    for (folder,) in database.execute("SELECT name FROM members WHERE folder"):
        go_on()
        place = os.path.join(root, folder)  # noqa: PTH118 - the name may be of any bytes
        with contextlib.suppress(OSError):
            if os.lstat(place).st_dev != device:
                continue
            for entry in _list_names(place):
                name = folder + b"/" + entry if folder else entry
                known = database.execute("SELECT 1 FROM members WHERE name = ?", (name,))
                if known.fetchone() is None:
                    yield name


def _list_names(folder: bytes) -> Iterator[bytes]:
    with os.scandir(folder) as entries:
        for entry in entries:
            yield entry.name


@functools.lru_cache(maxsize=1024)
def _user_id(name: str, number: int) -> int:
    """Return the user id that tar restores: that of the name where it is known here."""
    try:
        return pwd.getpwnam(name).pw_uid if name else number
    except KeyError:
        return number


@functools.lru_cache(maxsize=1024)
def _group_id(name: str, number: int) -> int:
    try:
        return grp.getgrnam(name).gr_gid if name else number
    except KeyError:
        return number
