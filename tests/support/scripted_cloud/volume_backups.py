"""What Cinder's backup service does."""

from collections.abc import Mapping
from typing import Any, Final

from werkzeug.exceptions import BadRequest, NotFound

from tests.support.scripted_cloud.block_storage import new_volume
from tests.support.scripted_cloud.state import ZONE, CloudState, FakeResource

FAIL_REASON: Final = "the backup driver failed"


def new_backup(state: CloudState, project: str, asked: Mapping[str, Any]) -> FakeResource:
    """Begin a backup of a volume, or of a snapshot of it.

    Raises:
        BadRequest, NotFound: as Cinder refuses it.
    """
    volume = state.volumes.get(asked["volume_id"], project)
    if asked.get("availability_zone") not in (None, ZONE):
        raise BadRequest("No cinder-backup service is available in the zone.")
    snapshot = _find_snapshot(state, project, volume, asked.get("snapshot_id"))
    before = volume.shown["status"]
    usable = ("available", "in-use") if snapshot or asked.get("force") else ("available",)
    if before not in usable:
        raise BadRequest(f"Invalid volume: The volume to be backed up has status {before}.")
    parent = _find_parent(state, volume, snapshot) if asked.get("incremental") else None
    data = snapshot or volume
    backup = state.backups.add(
        project,
        {
            "name": (asked.get("name") or "").strip(),
            "description": asked.get("description"),
            "status": "creating",
            "size": volume.shown["size"],
            "object_count": 1,
            "container": asked.get("container"),
            "availability_zone": ZONE,
            "volume_id": volume.id,
            "snapshot_id": snapshot.id if snapshot else None,
            "is_incremental": parent is not None,
            "parent": parent.id if parent else None,
            "fail_reason": None,
            "metadata": dict(asked.get("metadata") or {}),
            "created_at": state.timestamp(),
            "data_timestamp": snapshot.shown["created_at"] if snapshot else state.timestamp(),
            "updated_at": None,
            "volume_metadata": dict(volume.shown["metadata"]),
            "volume_image": volume.shown.get("volume_image_metadata"),
        },
        content=data.content,
    )
    with state.next_work() as planned:
        if not snapshot:
            volume.shown["status"] = "backing-up"
            state.schedule_status(volume, before)
        _end(state, backup, fails=planned.fails)
    return backup


def restore_backup(
    state: CloudState, project: str, backup: FakeResource, asked: Mapping[str, Any]
) -> FakeResource:
    """Begin to restore a backup, over a volume or into a new one.

    Raises:
        BadRequest, NotFound: as Cinder refuses it.
    """
    if backup.shown["status"] != "available":
        raise BadRequest("Invalid backup: Backup status must be available")
    if identifier := asked.get("volume_id"):
        volume = state.volumes.get(identifier, project)
        if volume.shown["status"] != "available":
            raise BadRequest("Invalid volume: Volume to be restored to must be available")
        if volume.shown["size"] < backup.shown["size"]:
            raise BadRequest("Invalid volume: Volume to be restored to is smaller than the backup")
    else:
        name = asked.get("name") or f"restore_backup_{backup.id}"
        volume = new_volume(state, project, {"size": backup.shown["size"], "name": name})
    volume.shown["status"] = "restoring-backup"
    backup.shown["status"] = "restoring"

    def write() -> None:
        # As seen of Cinder: the backup's metadata takes the place of the volume's.
        volume.content = backup.content
        volume.shown["metadata"] = dict(backup.shown["volume_metadata"])
        if backup.shown["volume_image"]:
            volume.shown["volume_image_metadata"] = dict(backup.shown["volume_image"])
            volume.shown["bootable"] = "true"

    def break_off() -> None:
        volume.content = b"half of the backup"

    with state.next_work() as planned:
        state.schedule(break_off if planned.fails else write)
        # As seen of Cinder: only the volume tells that a restore was broken off.
        state.schedule_status(volume, "error_restoring" if planned.fails else "available")
        state.schedule_status(backup, "available")
    return volume


def delete_backup(state: CloudState, backup: FakeResource) -> None:
    """Begin to delete a backup.

    Raises:
        BadRequest: it is being made or restored, or others are based on it.
    """
    if backup.shown["status"] not in ("available", "error"):
        raise BadRequest("Invalid backup: Backup status must be available or error")
    if has_dependents(state, backup):
        raise BadRequest("Invalid backup: Incremental backups exist for this backup.")
    backup.shown["status"] = "deleting"
    with state.next_work() as planned:
        if planned.fails or state.backup_deletes_fail:
            state.schedule_status(backup, "error", fail_reason=FAIL_REASON)
        else:
            state.schedule(lambda: state.backups.remove(backup))


def has_dependents(state: CloudState, backup: FakeResource) -> bool:
    """Return whether an incremental backup is based on this one."""
    return any(each.shown["parent"] == backup.id for each in state.backups)


def _end(state: CloudState, backup: FakeResource, *, fails: bool) -> None:
    if fails:
        state.schedule_status(backup, "error", fail_reason=FAIL_REASON)
    else:
        state.schedule_status(backup, "available")


def _find_snapshot(
    state: CloudState, project: str, volume: FakeResource, identifier: str | None
) -> FakeResource | None:
    if identifier is None:
        return None
    snapshot = state.snapshots.get(identifier, project)
    if snapshot.shown["volume_id"] != volume.id:
        raise BadRequest("Invalid volume: Volume does not match with snapshot.volume_id")
    if snapshot.shown["status"] != "available":
        raise NotFound("Snapshot to be backed up must be available")
    return snapshot


def _find_parent(
    state: CloudState, volume: FakeResource, snapshot: FakeResource | None
) -> FakeResource:
    """Return what Cinder bases an incremental backup on: the latest available one."""
    limit = snapshot.shown["created_at"] if snapshot else None
    usable = [
        each
        for each in state.backups.visible_to(volume.project)
        if each.shown["volume_id"] == volume.id
        and each.shown["status"] == "available"
        and (limit is None or each.shown["data_timestamp"] < limit)
    ]
    if not usable:
        raise BadRequest("Invalid backup: No backups available to do an incremental backup.")
    return max(usable, key=lambda each: str(each.shown["data_timestamp"]))
