"""The table of contents of a directory's archive, as GNU tar writes it in incremental backups.

Seen with GNU tar 1.34: before the files come the directories, as members of type ``D``. The data of
each is the list of all names that tar has read in it, with a letter before each: ``Y`` for what tar
means to store, ``N`` for what it leaves out, ``D`` for a directory. Files that it cannot open
later, and sockets, are listed with a ``Y`` and are no members all the same. (GNU tar's manual,
"Dumpdir".)
"""

import bz2
import gzip
import tarfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Final

import attrs

_BLOCK: Final = tarfile.BLOCKSIZE
_END_BLOCK: Final = bytes(_BLOCK)
_CHUNK: Final = 2**18
_GNU_MAGIC: Final = b"ustar  \0"
_LISTING: Final = b"D"
_LONG_NAME: Final = tarfile.GNUTYPE_LONGNAME
_LONG_LINK: Final = tarfile.GNUTYPE_LONGLINK
_FILES: Final = frozenset({tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.CONTTYPE})
_WITH_DATA: Final = _FILES | {_LISTING, _LONG_NAME, _LONG_LINK}
_WITHOUT_DATA: Final = frozenset(
    {
        tarfile.LNKTYPE,
        tarfile.SYMTYPE,
        tarfile.CHRTYPE,
        tarfile.BLKTYPE,
        tarfile.DIRTYPE,
        tarfile.FIFOTYPE,
    }
)
_LISTED_MARKERS: Final = (b"Y", b"N", b"D")
"""Letters before the names that a directory has; others tell of renamed ones."""

_MAX_NAME_LENGTH: Final = 2**20
"""Bytes of a member's path that are read: more than Linux can open."""

_READ_ERRORS: Final = (EOFError, gzip.BadGzipFile, tarfile.TarError, zlib.error)


class BrokenArchive(Exception):
    """An archive cannot be read to its end."""


class ArchiveNotRead(Exception):
    """An archive was not read to its end, without a fault of its own."""


@attrs.frozen
class ArchiveMember:
    """Something that an archive holds.

    Attributes:
        name: its path below the directory, empty for the directory itself.
        listed_paths: the paths of what the directory held; nothing for what is no directory.
        header: what tar has noted of it: kind, size, mode, time and owner.
        content: a file's data, which can be read until the next member is asked for.
        link: what a link leads to: a symbolic one's text, a hard one's path below the directory.
    """

    name: bytes
    listed_paths: Iterator[bytes]
    header: tarfile.TarInfo
    content: Iterator[bytes]
    link: bytes


def read_members(
    file: IO[bytes],
    compression: str,
    go_on: Callable[[], None] = lambda: None,
) -> Iterator[ArchiveMember]:
    """Yield everything that an archive holds; memory does not grow with it.

    Args:
        file: the stored data.
        compression: as the agent's notes name it: ``gzip`` or ``bzip2``.
        go_on: is called before each part is read; what it raises ends the reading.

    Raises:
        BrokenArchive: it is damaged or cut off.
        ArchiveNotRead: it is of a form that is not known.
        OSError: the file cannot be read.
    """
    opened = bz2.BZ2File(file) if compression == "bzip2" else gzip.GzipFile(fileobj=file)
    try:
        with opened:
            yield from _ArchiveParser(opened, go_on).read_members()
    except _READ_ERRORS as error:
        raise BrokenArchive(str(error) or type(error).__name__) from error


@attrs.define
class _ArchiveParser:
    _file: gzip.GzipFile | bz2.BZ2File
    _go_on: Callable[[], None]

    def read_members(self) -> Iterator[ArchiveMember]:
        long_name: bytes | None = None
        long_link: bytes | None = None
        while (block := self._read_exactly(_BLOCK)) != _END_BLOCK:
            header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
            data = self._member_data(header)
            if header.type == _LONG_NAME:
                long_name = _parse_long_name(data)
            elif header.type == _LONG_LINK:
                long_link = _parse_long_name(data)
            else:
                name = _relative_path(
                    _member_name(header, block) if long_name is None else long_name
                )
                link = _member_link(header, long_link)
                long_name = long_link = None
                listed = _parse_listing(name, data) if header.type == _LISTING else iter(())
                content = data if header.type in _FILES else iter(())
                yield ArchiveMember(name, listed, header, content, link)
            for _ in data:
                # What nobody wanted is passed over, so that the next header comes.
                pass
        while self._read(_CHUNK):
            # The checksum comes last.
            pass

    def _member_data(self, header: tarfile.TarInfo) -> Iterator[bytes]:
        if header.type in _WITHOUT_DATA:
            return iter(())
        if header.type not in _WITH_DATA:
            kind = header.type.decode("latin-1")
            raise ArchiveNotRead(f"the archive holds a member of type {kind!r}, which is not known")
        return self._read_chunks(header.size)

    def _read_chunks(self, size: int) -> Iterator[bytes]:
        whole = -(-size // _BLOCK) * _BLOCK
        while whole > 0:
            chunk = self._read_exactly(min(_CHUNK, whole))
            yield chunk[:size]
            size = max(0, size - len(chunk))
            whole -= len(chunk)

    def _read_exactly(self, count: int) -> bytes:
        data = self._read(count)
        if len(data) < count:
            raise EOFError("it ends too early")
        return data

    def _read(self, count: int) -> bytes:
        self._go_on()
        return self._file.read(count)


def _parse_long_name(data: Iterator[bytes]) -> bytes:
    return b"".join(data)[:_MAX_NAME_LENGTH].split(b"\0", 1)[0]


def _member_link(header: tarfile.TarInfo, long_link: bytes | None) -> bytes:
    link = header.linkname.encode("utf-8", "surrogateescape") if long_link is None else long_link
    return _relative_path(link) if header.type == tarfile.LNKTYPE else link


def _member_name(header: tarfile.TarInfo, block: bytes) -> bytes:
    if block[257:265] == _GNU_MAGIC:
        # GNU tar keeps times there where POSIX has the first part of a long path.
        return block[:100].split(b"\0", 1)[0]
    return header.name.encode("utf-8", "surrogateescape")


def _relative_path(name: bytes) -> bytes:
    """Return a path below the directory; tar starts each with ``./``."""
    path = name.rstrip(b"/")
    return b"" if path == b"." else path.removeprefix(b"./")


def _parse_listing(folder: bytes, data: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the paths in a directory's list, which may be longer than memory is large."""
    rest = b""
    for chunk in data:
        *entries, rest = (rest + chunk).split(b"\0")
        for entry in entries:
            if entry[:1] in _LISTED_MARKERS:
                yield folder + b"/" + entry[1:] if folder else entry[1:]
