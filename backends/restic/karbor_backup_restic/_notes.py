"""The backend's own notes: the handle of a backup.

It carries a version, so that a later release can read what an earlier one wrote, and an earlier
one says that it cannot. An operation needs no receipt: its jobs are found by its id.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

import attrs

from karbor_backup_core import BackendError, Backup, InvalidInput, Json
from karbor_backup_restic._repository import Snapshot

_VERSION: Final = 1
_ID: Final = re.compile(r"[0-9a-f]{64}")
_OPERATION_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_HANDLE: Final = {"version", "snapshot", "bytes"}


@attrs.frozen
class Handle:
    """What makes a backup restorable.

    Attributes:
        snapshot: the whole id of the snapshot.
        size: the bytes of all files in it.
    """

    snapshot: str
    size: int

    @classmethod
    def of(cls, backup: Backup) -> "Handle":
        """Read the handle of a backup, which anybody may have written.

        Raises:
            BackendError: another release has written it.
            InvalidInput: no release has written it.
        """
        if not _OPERATION_ID.fullmatch(backup.whole_id):
            raise InvalidInput(f"{backup.whole_id!r} is not the id of a backup")
        handle = backup.handle
        _check_version(handle)
        snapshot, size = handle.get("snapshot"), handle.get("bytes")
        valid_snapshot = isinstance(snapshot, str) and _ID.fullmatch(snapshot) is not None
        valid_size = isinstance(size, int) and not isinstance(size, bool) and size >= 0
        if set(handle) != _HANDLE or not valid_snapshot or not valid_size:
            raise InvalidInput(
                f"backup {backup.id}: its handle is damaged: use a copy of the backup's document"
            )
        return cls(str(snapshot), int(size or 0))

    def to_document(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"version": _VERSION, "snapshot": self.snapshot, "bytes": self.size}

    def choose(self, backup: Backup, snapshots: Sequence[Snapshot]) -> Snapshot | None:
        """Return the backup's snapshot among all of the repository; None if it is gone.

        A snapshot whose tags somebody has changed has a new id, and remembers the original one.

        Raises:
            InvalidInput: the snapshot that the handle names is not tagged as this backup's, or
                another one is: the handle belongs to another backup, or somebody removed the tag.
        """
        named = [each for each in snapshots if self.snapshot in (each.id, each.original)]
        tagged = [each for each in snapshots if backup.whole_id in each.tags]
        for snapshot in named:
            if snapshot in tagged:
                return snapshot
        if named or tagged:
            raise InvalidInput(
                f"backup {backup.id}: its handle names snapshot {self.snapshot[:8]}, and the "
                f"snapshots with its tag are: {', '.join(it.id[:8] for it in tagged) or 'none'}: "
                "use a copy of the backup's document, or restore the tag with 'restic tag'"
            )
        return None


def _check_version(handle: Json) -> None:
    version = handle.get("version")
    if type(version) is not int or version != _VERSION:
        raise BackendError(
            f"a handle of version {version!r:.40}: this release of the restic backend reads "
            f"version {_VERSION} only; use the release that wrote it"
        )
