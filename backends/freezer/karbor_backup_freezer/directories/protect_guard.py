"""What a protect of a directory stores, and what it refuses to store."""

import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from karbor_backup_core import Check, InvalidInput, Resource
from karbor_backup_freezer.directories import guarded_paths, hosts
from karbor_backup_freezer.directories.extended_attributes import check_lost_attributes
from karbor_backup_freezer.directories.guarded_paths import GuardedPath
from karbor_backup_freezer.directories.mounts import (
    MountTable,
    is_within,
    outermost_mounts,
    printable_path,
    unescape_path,
)
from karbor_backup_freezer.directories.restore_guard import MOUNTED_KEY
from karbor_backup_freezer.directories.target import Target
from karbor_backup_freezer.inspection.contents import format_counted
from karbor_backup_freezer.model.items import BackupItem, DiscoveryResult, Mode
from karbor_backup_freezer.model.storages import Storage

MAX_NAMES: Final = 10
"""Names in a check; what is beyond is counted."""

FSTAB: Final = Path("/etc/fstab")

_MOUNT_POINT_FIELD: Final = 1


class ProtectGuard:
    """Finds out what a backup of a directory will lack, and refuses one that contains itself.

    Args:
        storages: all that are configured, by name.
        fstab: the table of the file systems that are to be mounted.
    """

    def __init__(self, storages: Mapping[str, Storage], fstab: Path = FSTAB) -> None:
        self._storages = storages
        self._fstab = fstab

    def discover(
        self, resource: Resource, storage: Storage, container: str, hostname: str
    ) -> DiscoveryResult:
        """Discover a directory before its job is created.

        Args:
            resource: the directory.
            storage: the storage that is to hold the backup.
            container: the folder in it that is to hold this backup alone.
            hostname: the host of the scheduler that is to run the job.

        Raises:
            InvalidInput: it is no directory of this host, or the backup would be stored in it.
        """
        here = hosts.is_local_host(hostname)
        if here:
            _check_directory(resource.id)
        seen = Target.from_filesystem(resource.id) if here else None
        own = tuple(guarded_paths.storage_paths([storage], "" if here else hostname))
        inner = [GuardedPath(container, "the folder that is to hold this backup")] if own else []
        for target in (Target.from_text(resource.id), seen):
            if target is not None and (held := _contained_paths(target, [*own, *inner])):
                raise InvalidInput(
                    f"directory {resource.id!r} contains {held[0]}: a backup must not be in the "
                    "directory that it protects: choose another storage, or protect the folders "
                    "beside it"
                )
        details: dict[str, Any] = {}
        checks: tuple[Check, ...] = (_unseen_check(hostname),)
        if seen is not None and seen.mounts is not None:
            mount = seen.mounts.find_at(seen.real)
            details = {MOUNTED_KEY: mount.type} if mount is not None else {}
            checks = tuple(self._checks(seen, seen.mounts, storage))
        item = BackupItem(
            type=resource.type, id=resource.id, name=resource.name, mode=Mode.FS, details=details
        )
        return DiscoveryResult(resource=resource, items=(item,), checks=checks)

    def _checks(self, seen: Target, mounts: MountTable, storage: Storage) -> Iterator[Check]:
        own = mounts.find_containing(seen.real)
        # tar goes by the device, so that it stores what a bind mount shows of the same one.
        foreign = [m for m in mounts.list_below(seen.real) if own is None or m.device != own.device]
        if foreign:
            yield Check(
                "mounted file systems",
                verified=False,
                reason="not in the backup: "
                f"{format_names(map(str, outermost_mounts(foreign)))}: protect each by itself",
            )
        if absent := [p for p in self._fstab_mount_points(seen.real) if mounts.find_at(p) is None]:
            yield Check(
                "file systems that are not mounted",
                verified=False,
                reason=f"{self._fstab} names them and nothing is mounted there, so that the backup "
                f"has nothing of them: {format_names(map(printable_path, absent))}",
            )
        if (lost := check_lost_attributes(seen.real)) is not None:
            yield lost
        others = [each for each in self._storages.values() if each.name != storage.name]
        if held := _contained_paths(seen, tuple(guarded_paths.storage_paths(others, ""))):
            yield Check(
                "restorable in place",
                verified=False,
                reason=f"the directory holds {format_names(map(str, held))}: it can be restored to "
                "another path only",
            )

    def _fstab_mount_points(self, real: str) -> list[str]:
        """Return the mount points at or below a path that the host's table of them names."""
        try:
            lines = self._fstab.read_text(errors="surrogateescape").splitlines()
        except OSError:
            return []
        fields = [line.split() for line in lines if not line.lstrip().startswith("#")]
        points = [unescape_path(f[_MOUNT_POINT_FIELD]) for f in fields if len(f) > 1]
        return [point for point in points if point.startswith("/") and is_within(point, real)]


def format_names(names: Iterator[str] | Sequence[str]) -> str:
    """Return names in one line: the first ones, and how many more there are."""
    every = list(names)
    return format_counted(every[:MAX_NAMES], len(every))


def _contained_paths(target: Target, guarded: Sequence[GuardedPath]) -> Sequence[GuardedPath]:
    return [guarded_path for guarded_path in guarded if target.contains(guarded_path)]


def _unseen_check(hostname: str) -> Check:
    reason = (
        f"the directory is on host {hostname or 'of an unknown name'!r} and cannot be seen from "
        "here: mounted file systems and files that the scheduler may not read are missing untold"
    )
    return Check("directory seen", verified=False, reason=reason)


def _check_directory(path: str) -> None:
    """Refuse a directory that is not there; what this process may not see the agent has to tell."""
    try:
        mode = Path(path).stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise InvalidInput(f"directory {path!r} does not exist on this host") from None
    except OSError:
        return
    if not stat.S_ISDIR(mode):
        raise InvalidInput(f"{path!r} is not a directory: name the directory that contains it")
