"""The mount table of this host, as ``proc_pid_mountinfo(5)`` describes it."""

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import attrs

MOUNTINFO: Final = Path("/proc/self/mountinfo")

KERNEL_TYPES: Final = frozenset(
    {
        "autofs",
        "binfmt_misc",
        "bpf",
        "cgroup",
        "cgroup2",
        "configfs",
        "debugfs",
        "devpts",
        "devtmpfs",
        "efivarfs",
        "fusectl",
        "mqueue",
        "nsfs",
        "proc",
        "pstore",
        "rpc_pipefs",
        "securityfs",
        "selinuxfs",
        "sysfs",
        "tracefs",
    }
)
"""File systems that the kernel fills: nothing can be restored into them."""

_OCTAL: Final = re.compile(r"\\([0-7]{3})")
_FIELDS_BEFORE_OPTIONAL: Final = 6


@attrs.frozen
class Location:
    """Where a path is, independent of the mount through which it is reached.

    Two paths that a bind mount makes the same have the same location.

    Attributes:
        device: the file system, as "major:minor".
        path: the path inside of that file system.
    """

    device: str
    path: str

    def contains(self, other: "Location") -> bool:
        """Return whether the other location is this one or lies below it."""
        return self.device == other.device and is_within(other.path, self.path)


@attrs.frozen
class Mount:
    """One line of the mount table.

    Attributes:
        point: where it is mounted.
        root: the path in the file system that is mounted there; "/" except for bind mounts and
            subvolumes.
        device: the file system, as "major:minor".
        type: the type of the file system.
        source: what is mounted, such as a device or a share.
    """

    point: str
    root: str
    device: str
    type: str
    source: str

    def __str__(self) -> str:
        return f"{printable_path(self.point)} ({printable_path(self.type)})"


@attrs.frozen
class MountTable:
    """All mounts that this process sees, in the order in which they were made."""

    mounts: Sequence[Mount]

    @classmethod
    def load(cls, file: Path = MOUNTINFO) -> "MountTable":
        """Read the table of this process's mount namespace.

        Raises:
            OSError: this host does not show it.
        """
        text = file.read_bytes().decode(errors="surrogateescape")
        return cls(tuple(_parse_mount(line) for line in text.splitlines() if line.strip()))

    def find_at(self, path: str) -> Mount | None:
        """Return the mount whose mount point is exactly this resolved path: the topmost one."""
        return next((m for m in reversed(self.mounts) if m.point == path), None)

    def list_below(self, path: str) -> Sequence[Mount]:
        """Return the mounts below a resolved path, without one at the path itself."""
        return tuple(
            mount for mount in self.mounts if mount.point != path and is_within(mount.point, path)
        )

    def find_containing(self, path: str) -> Mount | None:
        """Return the mount that a resolved path lies on."""
        found: Mount | None = None
        for mount in self.mounts:
            # A later mount at the same point hides the earlier one.
            nearer = found is None or len(mount.point) >= len(found.point)
            if nearer and is_within(path, mount.point):
                found = mount
        return found

    def location(self, path: str) -> Location | None:
        """Return where a resolved path is, whatever mount leads to it."""
        mount = self.find_containing(path)
        if mount is None:
            return None
        relative = os.path.relpath(path, mount.point)
        return Location(mount.device, os.path.normpath(os.path.join(mount.root, relative)))  # noqa: PTH118 - texts of another file system


def printable_path(path: str) -> str:
    """Return a path for people, with what no terminal can print written as an escape."""
    return repr(path)[1:-1]


def is_within(path: str, folder: str) -> bool:
    """Return whether a normalized absolute path is a folder's own or lies below it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def normalize_path(path: str) -> str:
    """Return an absolute path without ``.``, ``..`` and repeated slashes, by its text alone."""
    # POSIX lets two leading slashes mean something of their own; Linux does not.
    return "/" + os.path.normpath(path).lstrip("/")


def resolve_path(path: str) -> str:
    """Return a path with every link followed, as far as it exists and may be seen."""
    return normalize_path(os.path.realpath(path))


def outermost_mounts(mounts: Iterable[Mount]) -> Sequence[Mount]:
    """Return the mounts that lie below no other one of them."""
    found: list[Mount] = []
    for mount in sorted(mounts, key=lambda each: each.point):
        if not any(is_within(mount.point, other.point) for other in found):
            found.append(mount)
    return found


def _parse_mount(line: str) -> Mount:
    fields = line.split(" ")
    end = fields.index("-", _FIELDS_BEFORE_OPTIONAL)
    return Mount(
        point=unescape_path(fields[4]),
        root=unescape_path(fields[3]),
        device=fields[2],
        type=fields[end + 1],
        source=unescape_path(fields[end + 2]),
    )


def unescape_path(text: str) -> str:
    """Return a path of a mount table, in which blanks and backslashes are octal numbers."""
    return _OCTAL.sub(lambda match: chr(int(match[1], 8)), text)
