"""Finds the file system type of a path, and whether machines may share that type.

SQLite's write-ahead log keeps an index in shared memory, so that all users of a database must be on
one machine (https://sqlite.org/wal.html), and its locks are not kept by every network file system
(https://sqlite.org/howtocorrupt.html).
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs

MOUNTINFO: Final = Path("/proc/self/mountinfo")
"""Linux's list of what is mounted where; see proc_pid_mountinfo(5)."""

_NETWORK_TYPES: Final = frozenset(
    {
        *("nfs", "nfs3", "nfs4", "cifs", "smb2", "smb3", "smbfs", "9p", "virtiofs", "vboxsf"),
        *("vmhgfs", "prl_fs", "afs", "auristorfs", "coda", "ceph", "glusterfs", "lustre", "gfs"),
        *("gfs2", "ocfs2", "gpfs", "beegfs", "fhgfs", "orangefs", "pvfs2", "panfs", "acfs"),
        *("ncpfs", "ncp", "davfs", "davfs2", "sshfs", "mfs", "moosefs", "lizardfs", "juicefs"),
        *("wekafs", "quobyte", "cvfs", "snfs", "yas3fs", "s3fs", "curvefs", "dtfs"),
    }
)
_LOCAL_FUSE: Final = frozenset(
    {
        *("fuse-overlayfs", "lxcfs", "ntfs", "ntfs-3g", "exfat", "exfat-fuse", "ext2", "fuse2fs"),
        *("gocryptfs", "encfs", "cryfs", "securefs", "veracrypt", "bindfs", "mergerfs"),
    }
)
"""What FUSE offers from this machine's own disks; most of the rest comes from a network."""

_ESCAPE_PATTERN: Final = re.compile(r"\\([0-7]{3})")


@attrs.frozen
class _Mount:
    """A line of ``mountinfo``: mount point and file system type."""

    point: Path
    kind: str


def network_filesystem_type(path: Path) -> str:
    """Return the type of the file system of a path, if machines may share it.

    Args:
        path: may contain links, and need not exist.

    Returns:
        The type, such as ``nfs4``; empty for a local one, and where it is not known (anywhere but
        on Linux).
    """
    try:
        real = path.resolve()
    except (OSError, RuntimeError):  # a loop of links, which the opening of the file will report
        return ""
    found = ""
    longest = -1
    for mount in _read_mounts():
        # Of several mounts on one point the last one is visible.
        depth = len(mount.point.parts)
        if depth >= longest and real.is_relative_to(mount.point):
            found, longest = mount.kind, depth
    return found if _is_network_type(found) else ""


def _is_network_type(kind: str) -> bool:
    family, _, name = kind.partition(".")
    if family == "fuse":
        return name not in _LOCAL_FUSE
    return kind in _NETWORK_TYPES


def _read_mounts() -> Iterator[_Mount]:
    try:
        lines = MOUNTINFO.read_bytes().decode(errors="surrogateescape").splitlines()
    except OSError:
        return
    for line in lines:
        before, _, after = line.partition(" - ")
        fields, kinds = before.split(" "), after.split(" ")
        if len(fields) > _MOUNT_POINT_FIELD:
            yield _Mount(Path(_unescape(fields[_MOUNT_POINT_FIELD])), kinds[0])


_MOUNT_POINT_FIELD: Final = 4
"""The field of a line that holds the mount point."""


def _unescape(text: str) -> str:
    """Decode a path of ``mountinfo``, which has blanks and the like in octal."""
    return _ESCAPE_PATTERN.sub(lambda match: chr(int(match[1], 8)), text)
