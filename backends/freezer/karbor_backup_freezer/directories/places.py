"""Folders that a restore must not remove: the system's, the storages', Freezer's and the caller's.

A restore with ``overwrite`` makes its target what the backup holds, and removes all else in it.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import attrs

from karbor_backup_freezer.directories.hosts import is_address_here
from karbor_backup_freezer.directories.mounts import shown
from karbor_backup_freezer.directories.programs import Program
from karbor_backup_freezer.storages import Kind, Storage

SYSTEM: Final = (
    "/",
    "/bin",
    "/boot",
    "/dev",
    "/efi",
    "/etc",
    "/home",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/media",
    "/mnt",
    "/opt",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/snap",
    "/srv",
    "/sys",
    "/tmp",  # noqa: S108 - named so that it is not removed
    "/usr",
    "/usr/bin",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/local",
    "/usr/sbin",
    "/usr/share",
    "/var",
    "/var/cache",
    "/var/lib",
    "/var/log",
    "/var/run",
    "/var/spool",
    "/var/tmp",  # noqa: S108 - named so that it is not removed
)
"""Top folders of a system, by the Filesystem Hierarchy Standard 3.0 and what distributions add.

Each holds what belongs to many programs or people, of which a backup of one moment knows a part.
Folders inside of them, such as ``/etc/nginx``, are nobody's top folder and may be restored over.
"""

_FREEZER: Final = (
    "/etc/freezer",
    "/var/lib/freezer",
    "/var/log/freezer",
    "/var/log/freezer-agent",
    "/var/log/freezer-scheduler",
)
"""Where packages of Freezer keep its configuration, jobs and logs."""

_WIDE: Final = frozenset({*SYSTEM, ""})
"""Places of a program that it shares with others, and which are guarded as system folders."""


@attrs.frozen
class Place:
    """A folder or file that must survive a restore.

    Attributes:
        path: its absolute path.
        what: what it is, in words.
        inside: whether nothing may be restored into it either.
    """

    path: str
    what: str
    inside: bool = False

    def __str__(self) -> str:
        return f"{self.what} ({shown(self.path)})"


def system_places() -> Iterator[Place]:
    """Yield the system's top folders."""
    return (Place(path, "a system folder") for path in SYSTEM)


def storage_places(storages: Iterable[Storage], scheduler_host: str) -> Iterator[Place]:
    """Yield the folders of the storages that are on the scheduler's host.

    Args:
        storages: all that are configured, not only the backup's own.
        scheduler_host: the name of the host, as the scheduler registered it; empty for this host.
    """
    for storage in storages:
        path = storage.options.get("path", "")
        host = str(storage.options.get("host", ""))
        same = host.lower() == scheduler_host.lower() if scheduler_host else is_address_here(host)
        if storage.kind is Kind.LOCAL or (storage.kind is Kind.SSH and same):
            yield Place(path, f"the folder of storage {storage.name!r}", inside=True)


def program_places(programs: Sequence[Program]) -> Iterator[Place]:
    """Yield what Freezer's programs on this host work with."""
    for path in _FREEZER:
        yield Place(path, "a folder of Freezer's", inside=True)
    yield Place(str(Path("~/.freezer").expanduser()), "the agent's work folder", inside=True)
    for program in programs:
        for path, what in program.folders():
            if path not in _WIDE:
                own = path in {program.jobs_dir, f"{program.home}/.freezer"}
                yield Place(path, what, inside=own)


def caller_places(own_paths: Iterable[str]) -> Iterator[Place]:
    """Yield what the calling program works with: its files, and the program itself."""
    for path in own_paths:
        yield Place(path, "a file of karbor-backup's own", inside=True)
    if sys.prefix != sys.base_prefix:
        yield Place(sys.prefix, "the program that runs this restore", inside=True)
    yield Place(str(Path(__file__).parents[1]), "the program that runs this restore", inside=True)
