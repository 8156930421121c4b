"""What a protect of a directory stores, and what it refuses to store."""

import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from karbor_backup_core import Check, InvalidInput, Resource
from karbor_backup_freezer.directories import hosts, places
from karbor_backup_freezer.directories.attributes import lost_attributes
from karbor_backup_freezer.directories.mounts import (
    MountTable,
    is_within,
    outermost,
    shown,
    unescape,
)
from karbor_backup_freezer.directories.places import Place
from karbor_backup_freezer.directories.restore_guard import MOUNTED
from karbor_backup_freezer.directories.target import Target
from karbor_backup_freezer.pieces import Mode, Piece, Survey
from karbor_backup_freezer.storages import Storage

NAMED: Final = 10
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

    def survey(self, resource: Resource, storage: Storage, container: str, hostname: str) -> Survey:
        """Survey a directory before its job is created.

        Args:
            resource: the directory.
            storage: the storage that is to hold the backup.
            container: the folder in it that is to hold this backup alone.
            hostname: the host of the scheduler that is to run the job.

        Raises:
            InvalidInput: it is no directory of this host, or the backup would be stored in it.
        """
        here = hosts.is_here(hostname)
        if here:
            _check_directory(resource.id)
        seen = Target.look(resource.id) if here else None
        own = tuple(places.storage_places([storage], "" if here else hostname))
        inner = [Place(container, "the folder that is to hold this backup")] if own else []
        for target in (Target.plain(resource.id), seen):
            if target is not None and (held := _held(target, [*own, *inner])):
                raise InvalidInput(
                    f"directory {resource.id!r} holds {held[0]}: a backup must not be stored in "
                    "what it protects: choose another storage, or protect the folders beside it"
                )
        details: dict[str, Any] = {}
        checks: tuple[Check, ...] = (_unseen(hostname),)
        if seen is not None and seen.mounts is not None:
            mount = seen.mounts.at(seen.real)
            details = {MOUNTED: mount.type} if mount is not None else {}
            checks = tuple(self._checks(seen, seen.mounts, storage))
        piece = Piece(
            type=resource.type, id=resource.id, name=resource.name, mode=Mode.FS, details=details
        )
        return Survey(resource=resource, pieces=(piece,), checks=checks)

    def _checks(self, seen: Target, mounts: MountTable, storage: Storage) -> Iterator[Check]:
        own = mounts.holding(seen.real)
        # tar goes by the device, so that it stores what a bind mount shows of the same one.
        foreign = [m for m in mounts.below(seen.real) if own is None or m.device != own.device]
        if foreign:
            yield Check(
                "mounted file systems",
                verified=False,
                reason=f"not in the backup: {listed(map(str, outermost(foreign)))}: protect each "
                "by itself",
            )
        if absent := [p for p in self._configured(seen.real) if mounts.at(p) is None]:
            yield Check(
                "file systems that are not mounted",
                verified=False,
                reason=f"{self._fstab} names them and nothing is mounted there, so that the backup "
                f"has nothing of them: {listed(map(shown, absent))}",
            )
        if (lost := lost_attributes(seen.real)) is not None:
            yield lost
        others = [each for each in self._storages.values() if each.name != storage.name]
        if held := _held(seen, tuple(places.storage_places(others, ""))):
            yield Check(
                "restorable in place",
                verified=False,
                reason=f"the directory holds {listed(map(str, held))}: it can be restored to "
                "another path only",
            )

    def _configured(self, real: str) -> list[str]:
        """Return the mount points at or below a path that the host's table of them names."""
        try:
            lines = self._fstab.read_text(errors="surrogateescape").splitlines()
        except OSError:
            return []
        fields = [line.split() for line in lines if not line.lstrip().startswith("#")]
        points = [unescape(f[_MOUNT_POINT_FIELD]) for f in fields if len(f) > 1]
        return [point for point in points if point.startswith("/") and is_within(point, real)]


def listed(names: Iterator[str] | Sequence[str]) -> str:
    """Return names in one line: the first ones, and how many more there are."""
    every = list(names)
    more = f" and {len(every) - NAMED} more" if len(every) > NAMED else ""
    return ", ".join(every[:NAMED]) + more


def _held(target: Target, guarded: Sequence[Place]) -> Sequence[Place]:
    return [place for place in guarded if target.holds(place)]


def _unseen(hostname: str) -> Check:
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
        raise InvalidInput(f"directory {path!r} is not there on this host") from None
    except OSError:
        return
    if not stat.S_ISDIR(mode):
        raise InvalidInput(f"directory {path!r} is no directory: name the one that holds it")
