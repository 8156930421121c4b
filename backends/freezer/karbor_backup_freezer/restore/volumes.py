"""Volumes: found where the agent made them, moved to their zone, and completed."""

from typing import Any

from karbor_backup_freezer.model.items import BackupItem, Mode, StoredItem
from karbor_backup_freezer.restore import zones
from karbor_backup_freezer.restore.context import FreezerRestoreContext
from karbor_backup_openstack.metadata import is_marked, user_metadata
from karbor_backup_openstack.resources import source_image_name
from karbor_backup_openstack.restore.names import restored_name
from karbor_backup_openstack.restore.state import PENDING, MemberStatus
from karbor_backup_openstack.restore.volumes import (
    complete_volume,
    create_volume,
    find_noted_volume,
    size_problem,
    unready_status,
)


def restore_volume(
    context: FreezerRestoreContext, index: int, stored: StoredItem, device: str
) -> MemberStatus:
    """Bring one volume of the backup nearer to what its source was.

    Args:
        context: what the step has before it.
        index: the item's place in the restore job.
        stored: the item.
        device: its device's name, where it belongs to a server that is restored.
    """
    item = stored.item
    volume = _find_volume(context, index, item)
    if volume is None:
        return MemberStatus(failure=_missing_reason(context, item))
    context.state.volumes[item.id] = volume.id
    if status := unready_status(context, volume):
        return status
    if failure := _size_problem(volume, stored):
        return MemberStatus(failure=failure)
    if volume.id == item.id:
        return MemberStatus(restored=item.resource)
    name = restored_name(context.operation, item.resource, device)
    volume = zones.move_to_zone(
        context,
        index,
        item,
        volume,
        lambda image, found: create_volume(context, item, name, besides=found, image_id=image),
    )
    if volume is None:
        return PENDING
    context.state.volumes[item.id] = volume.id
    return complete_volume(context, item, volume, name)


def _find_volume(context: FreezerRestoreContext, index: int, item: BackupItem) -> Any | None:
    """Return the volume that was made of an item; the agent's before one that was made of that."""
    if item.id in context.state.volumes:
        return find_noted_volume(context, item)
    found = (
        volume
        for volume in context.volumes
        if is_marked(volume.metadata, context.operation, item.id)
        or source_image_name(volume).startswith(context.item_prefix(index))
    )
    return next(found, None)


def _missing_reason(context: FreezerRestoreContext, item: BackupItem) -> str:
    noted = context.state.volumes.get(item.id)
    if noted is None:
        return "Freezer's restore has left no volume of it"
    return f"volume {noted}, made of it, is gone"


def _size_problem(volume: Any, stored: StoredItem) -> str:
    """Why a volume does not hold all of the item, nothing where it does.

    While a volume bears the name of the agent's image, it tells that image's length too.
    """
    item = stored.item
    if problem := size_problem(volume, item):
        return problem
    if item.mode is not Mode.CINDER or is_described(volume):
        return ""
    length = int((volume.volume_image_metadata or {}).get("size", 0))
    expected = item.size if stored.stored is None else stored.stored
    if expected is not None and length < expected:
        return f"Freezer brought back {length} of {expected} bytes"
    return ""


def is_described(volume: Any) -> bool:
    """Whether a volume has been described by a rebuild."""
    return bool(volume.metadata != user_metadata(volume.metadata))
