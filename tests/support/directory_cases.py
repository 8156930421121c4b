"""One entry of every kind that a directory can hold, for what its backup keeps."""

import os
import socket
import stat
import zlib
from collections.abc import Callable
from pathlib import Path

import attrs
import pytest


@attrs.frozen
class Case:
    """One kind of entry, or attribute of one.

    Attributes:
        words: what it is, in the table.
        make: makes it at a path.
        look: returns what has to be the same afterwards.
        needs_root: whether only root can make or restore it.
        name: its name in the directory; by default one that is made of the words.
    """

    words: str
    make: Callable[[Path], object]
    look: Callable[[Path], object]
    needs_root: bool = False
    name: str = attrs.field()

    @name.default
    def _name(self) -> str:
        return f"entry-{zlib.crc32(self.words.encode()):08x}"


def _file(path: Path) -> None:
    path.write_bytes(b"content")


def _hard_links(path: Path) -> None:
    path.mkdir()
    _file(path / "one")
    os.link(path / "one", path / "two")


def _same_file(path: Path) -> object:
    return (path / "one").stat().st_ino == (path / "two").stat().st_ino


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(8 * 2**20)


def _socket(path: Path) -> None:
    # The path of a socket is short.
    with socket.socket(socket.AF_UNIX) as listening, pytest.MonkeyPatch.context() as patch:
        patch.chdir(path.parent)
        listening.bind(path.name)


def _mode(bits: int) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        _file(path)
        path.chmod(bits)

    return make


def _attribute(path: Path) -> None:
    _file(path)
    os.setxattr(path, "user.note", b"kept?")


def _acl(path: Path) -> None:
    _file(path)
    # What setfacl writes: the owner, user 1, the group, the mask and others.
    entries = [(1, 6, 0xFFFFFFFF), (2, 4, 1), (4, 4, 0xFFFFFFFF), (16, 4, 0xFFFFFFFF)]
    entries.append((32, 0, 0xFFFFFFFF))
    packed = b"".join(
        tag.to_bytes(2, "little") + rights.to_bytes(2, "little") + who.to_bytes(4, "little")
        for tag, rights, who in entries
    )
    os.setxattr(path, "system.posix_acl_access", (2).to_bytes(4, "little") + packed)


def _capability(path: Path) -> None:
    _file(path)
    # As the kernel keeps the capability to bind to low ports.
    os.setxattr(path, "security.capability", bytes.fromhex("0100000200040000" + "00" * 12))


def _attributes(path: Path) -> object:
    return {name: os.getxattr(path, name) for name in os.listxattr(path)}


def _owned(path: Path) -> None:
    _file(path)
    os.chown(path, 12345, 12346)


def _aged(path: Path) -> None:
    _file(path)
    os.utime(path, ns=(10**18 + 123456789, 10**18 + 123456789))


def _folder(path: Path) -> None:
    path.mkdir()
    path.chmod(0o751)


CASES = (
    Case("files", _file, Path.read_bytes),
    Case("empty files", Path.touch, Path.read_bytes),
    Case("folders, with their modes", _folder, lambda path: path.stat().st_mode),
    Case("symbolic links", lambda path: path.symlink_to("nowhere"), os.readlink),
    Case("hard links", _hard_links, _same_file),
    Case("pipes", os.mkfifo, lambda path: stat.S_ISFIFO(path.stat().st_mode)),
    Case(
        "devices",
        lambda path: os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3)),
        lambda path: path.stat().st_rdev,
        needs_root=True,
    ),
    Case("sockets", _socket, lambda path: stat.S_ISSOCK(path.stat().st_mode)),
    Case("holes of files, as zeros", _sparse, lambda path: path.stat().st_size),
    Case("holes of files, as holes", _sparse, lambda path: path.stat().st_blocks == 0),
    Case("modes", _mode(0o640), lambda path: path.stat().st_mode),
    Case("setuid, setgid and sticky bits", _mode(0o7755), lambda path: path.stat().st_mode),
    Case("times of change, to the second", _aged, lambda path: int(path.stat().st_mtime)),
    Case("times of change, to the nanosecond", _aged, lambda path: path.stat().st_mtime_ns),
    Case(
        "owners and groups", _owned, lambda path: path.stat()[stat.ST_UID : stat.ST_GID + 1], True
    ),
    Case("ACLs", _acl, _attributes),
    Case("extended attributes", _attribute, _attributes),
    Case("capabilities", _capability, _attributes, needs_root=True),
    Case("names that are no text", _file, Path.read_bytes, name=os.fsdecode(b"odd \xff\n name")),
)


def make_cases(tree: Path) -> None:
    """Make an entry of every kind in a directory."""
    for case in CASES:
        case.make(tree / case.name)


def look_at_cases(tree: Path) -> list[object]:
    """Return what has to be the same of each entry, in the cases' order; None if it is gone."""
    return [_look_at(case, tree / case.name) for case in CASES]


def _look_at(case: Case, path: Path) -> object:
    try:
        return case.look(path)
    except OSError:
        return None
