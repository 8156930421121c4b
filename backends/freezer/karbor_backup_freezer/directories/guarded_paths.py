"""Folders that a restore must not remove: the system's, the storages', Freezer's and the caller's.

A restore with ``overwrite`` makes its target what the backup holds, and removes all else in it.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import attrs

from karbor_backup_freezer.directories.hosts import is_local_address
from karbor_backup_freezer.directories.mounts import printable_path
from karbor_backup_freezer.directories.processes import FreezerProcess
from karbor_backup_freezer.model.storages import Storage, StorageKind

SYSTEM_FOLDERS: Final = (
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

_FREEZER_FOLDERS: Final = (
    "/etc/freezer",
    "/var/lib/freezer",
    "/var/log/freezer",
    "/var/log/freezer-agent",
    "/var/log/freezer-scheduler",
)
"""Where packages of Freezer keep its configuration, jobs and logs."""

_SHARED_FOLDERS: Final = frozenset({*SYSTEM_FOLDERS, ""})
"""Places of a program that it shares with others, and which are guarded as system folders."""


@attrs.frozen
class GuardedPath:
    """A folder or file that must survive a restore.

    Attributes:
        path: its absolute path.
        what: what it is, in words.
        inside: whether nothing may be restored into it either.
    """

    path: str
    description: str
    forbids_inside: bool = False

    def __str__(self) -> str:
        return f"{self.description} ({printable_path(self.path)})"


def system_paths() -> Iterator[GuardedPath]:
    """Yield the system's top folders."""
    return (GuardedPath(path, "a system folder") for path in SYSTEM_FOLDERS)


def storage_paths(storages: Iterable[Storage], scheduler_host: str) -> Iterator[GuardedPath]:
    """Yield the folders of the storages that are on the scheduler's host.

    Args:
        storages: all that are configured, not only the backup's own.
        scheduler_host: the name of the host, as the scheduler registered it; empty for this host.
    """
    for storage in storages:
        path = storage.options.get("path", "")
        host = str(storage.options.get("host", ""))
        same = host.lower() == scheduler_host.lower() if scheduler_host else is_local_address(host)
        if storage.kind is StorageKind.LOCAL or (storage.kind is StorageKind.SSH and same):
            yield GuardedPath(path, f"the folder of storage {storage.name!r}", forbids_inside=True)


def process_paths(programs: Sequence[FreezerProcess]) -> Iterator[GuardedPath]:
    """Yield what Freezer's programs on this host work with."""
    for path in _FREEZER_FOLDERS:
        yield GuardedPath(path, "a folder of Freezer's", forbids_inside=True)
    yield GuardedPath(
        str(Path("~/.freezer").expanduser()), "the agent's work folder", forbids_inside=True
    )
    for program in programs:
        for path, what in program.list_folders():
            if path not in _SHARED_FOLDERS:
                own = path in {program.jobs_dir, f"{program.home}/.freezer"}
                yield GuardedPath(path, what, forbids_inside=own)


def caller_paths(own_paths: Iterable[str]) -> Iterator[GuardedPath]:
    """Yield what the calling program works with: its files, and the program itself."""
    for path in own_paths:
        yield GuardedPath(path, "a file of karbor-backup's own", forbids_inside=True)
    if sys.prefix != sys.base_prefix:
        yield GuardedPath(sys.prefix, "the program that runs this restore", forbids_inside=True)
    yield GuardedPath(
        str(Path(__file__).parents[1]), "the program that runs this restore", forbids_inside=True
    )
