"""Incremental backups: what the next one will be based on, and what is based on one.

Cinder 29 bases an incremental backup on the available one with the latest data, whoever made it
(``backup/api.py``, ``create``), and does not tell on which it was.
"""

from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import Any

from karbor_backup_cinder.names import is_own_backup_name, read_backup_id
from karbor_backup_core import InvalidInput, Json
from karbor_backup_openstack.native_backups import NativeBackup, NativeBackupClient


def choose_parent(
    backups: Sequence[NativeBackup], options: Json, snapshot: Any | None
) -> NativeBackup | None:
    """Return what a protect's backup is to be based on, None for a full one.

    Args:
        backups: those of the volume, the oldest data first.
        options: of the protect, valid by its schema.
        snapshot: the snapshot that is backed up, None for the volume itself.

    Raises:
        InvalidInput: it is to be incremental and there is nothing that it could be based on.
    """
    wanted = options.get("incremental", "never")
    if wanted == "never":
        return None
    limit = None if snapshot is None else snapshot.created_at
    usable = [
        backup
        for backup in backups
        if backup.status == "available" and (limit is None or backup.data_timestamp < limit)
    ]
    if not usable and wanted == "always":
        raise InvalidInput(
            "incremental: Cinder has no available backup of the volume that an incremental one "
            "could be based on: make a full one first, or give 'auto'"
        )
    latest = usable[-1] if usable else None
    if wanted == "auto" and latest is not None and not is_own_backup_name(latest.name):
        # Its owner could not delete it any more.
        return None
    return latest


def name_dependents(client: NativeBackupClient, backups: Iterable[NativeBackup]) -> tuple[str, ...]:
    """Name the backups that may be based on some, as ``find_dependents`` does; each once.

    Args:
        client: Cinder; errors are its methods'.
        backups: the backups as Cinder shows them.
    """
    named: dict[str, None] = {}
    for backup in backups:
        if backup.has_dependents:
            listed = client.list_of_volume(backup.volume)
            found = find_dependents(listed, backup.id)
            named |= dict.fromkeys(found or ("a backup that Cinder does not tell",))
    return tuple(named)


def find_dependents(backups: Sequence[NativeBackup], identifier: str) -> tuple[str, ...]:
    """Name those that may be based on a backup, up to the next full one; the latest first.

    Each is named by the id of our backup, and somebody else's by Cinder's id.

    Args:
        backups: those of its volume, the oldest data first.
        identifier: the backup's id.
    """
    ids = [backup.id for backup in backups]
    if identifier not in ids:
        return ()
    later = (b for b in backups[ids.index(identifier) + 1 :] if b.status != "error")
    based = [*takewhile(lambda b: b.incremental, later)]
    return tuple(read_backup_id(b.name) or f"Cinder's backup {b.id}" for b in reversed(based))
