"""Volumes: made for Cinder's own backups, found where the agent made them, and completed."""

from collections.abc import Iterable
from typing import Any, Final

from karbor_backup_core import BackendError, Resource, Transient
from karbor_backup_freezer.model.items import BackupItem, Mode, StoredItem
from karbor_backup_freezer.model.resource_types import VOLUME
from karbor_backup_freezer.restore import zones
from karbor_backup_freezer.restore.context import RestoreContext
from karbor_backup_freezer.restore.creation import keep_if_alone
from karbor_backup_freezer.restore.names import restored_name
from karbor_backup_freezer.restore.state import PENDING, MemberStatus
from karbor_backup_openstack.errors import NotFound, translate_errors
from karbor_backup_openstack.metadata import is_marked, operation_metadata, user_metadata
from karbor_backup_openstack.resources import ResourceKind, is_busy, source_image_name
from karbor_backup_openstack.volume_actions import VolumeActions

GIB: Final = 2**30


def prepare_target_volume(context: RestoreContext, item: BackupItem) -> MemberStatus:
    """Have the volume that Cinder's own backup is to be restored to."""
    if context.operation.options.get("overwrite_volume", False):
        context.state.volumes[item.id] = item.id
        return MemberStatus(restored=item.resource)
    if item.id in context.state.volumes:
        volume = _get_noted_volume(context, item)
        if volume is None:
            return MemberStatus(failure=_missing_reason(context, item))
    else:
        made = (v for v in context.volumes if is_marked(v.metadata, context.operation, item.id))
        volume = _first(made)
    if volume is None:
        volume = _create_volume(context, item, restored_name(context.operation, item.resource))
    context.state.volumes[item.id] = volume.id
    return _unready_status(context, volume) or MemberStatus(
        restored=Resource(VOLUME, volume.id, volume.name)
    )


def restore_volume(
    context: RestoreContext, index: int, stored: StoredItem, device: str
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
    if status := _unready_status(context, volume):
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
        lambda image, found: _create_volume(context, item, name, besides=found, image_id=image),
    )
    if volume is None:
        return PENDING
    context.state.volumes[item.id] = volume.id
    _describe_volume(context, item, volume, name)
    _set_properties(context, item, volume)
    if _retype_volume(context, item, volume):
        return PENDING
    return MemberStatus(restored=Resource(VOLUME, volume.id, name))


def _find_volume(context: RestoreContext, index: int, item: BackupItem) -> Any | None:
    """Return the volume that was made of an item; the agent's before one that was made of that."""
    if item.id in context.state.volumes:
        return _get_noted_volume(context, item)
    return _first(
        volume
        for volume in context.volumes
        if is_marked(volume.metadata, context.operation, item.id)
        or source_image_name(volume).startswith(context.item_prefix(index))
    )


def _missing_reason(context: RestoreContext, item: BackupItem) -> str:
    noted = context.state.volumes.get(item.id)
    if noted is None:
        return "Freezer's restore has left no volume of it"
    return f"volume {noted}, made of it, is gone"


def _get_noted_volume(context: RestoreContext, item: BackupItem) -> Any | None:
    """Return the volume that an earlier step recorded, if it is still this operation's own."""
    identifier = context.state.volumes.get(item.id)
    volume = None if identifier is None else context.resources.get(ResourceKind.VOLUME, identifier)
    return (
        volume if volume is not None and _is_created_by_operation(context, item, volume) else None
    )


def _is_created_by_operation(context: RestoreContext, item: BackupItem, volume: Any) -> bool:
    if volume.id == item.id:
        return bool(context.operation.options.get("overwrite_volume", False))
    marked = is_marked(volume.metadata, context.operation, item.id)
    restored = source_image_name(volume).startswith(f"{context.job}-")
    return marked or restored or context.is_native_target(volume)


def _first(volumes: Iterable[Any]) -> Any | None:
    return next(iter(volumes), None)


def _create_volume(
    context: RestoreContext, item: BackupItem, name: str, besides: str = "", **source: str
) -> Any:
    sdk: Any = context.services.sdk
    details = item.details
    with translate_errors(f"Cinder for a new volume like {item.id}"):
        made = sdk.block_storage.create_volume(
            size=-(-(item.size or 0) // GIB),
            name=name,
            description=details.get("description"),
            volume_type=details.get("volume_type"),
            availability_zone=details.get("availability_zone"),
            metadata={
                **user_metadata(details.get("metadata")),
                **operation_metadata(context.operation, item.id),
            },
            **source,
        )
    keep_if_alone(context, ResourceKind.VOLUME, made, item.id, besides)
    return made


def _unready_status(context: RestoreContext, volume: Any) -> MemberStatus | None:
    """Return the standing of a volume that cannot be worked on, None where it can."""
    if is_busy(ResourceKind.VOLUME, volume):
        context.state.wait_for(ResourceKind.VOLUME, volume.id)
        return PENDING
    if volume.status not in ("available", "in-use"):
        return MemberStatus(
            failure=f"Cinder put the new volume {volume.id} in state {volume.status}"
        )
    return None


def _size_problem(volume: Any, stored: StoredItem) -> str:
    """Why a volume does not hold all of the item, nothing where it does.

    While a volume bears the name of the agent's image, it tells that image's length too.
    """
    item = stored.item
    if item.size is not None and volume.size * GIB < item.size:
        return f"the new volume {volume.id} has {volume.size} GiB, its source {item.size // GIB}"
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


def _describe_volume(context: RestoreContext, item: BackupItem, volume: Any, name: str) -> None:
    """Give it its name, description and metadata, marked: before what it is found by goes."""
    details = item.details
    metadata = {
        **user_metadata(details.get("metadata")),
        **operation_metadata(context.operation, item.id),
    }
    description = details.get("description") or ""
    if (volume.name, volume.description or "", volume.metadata) == (name, description, metadata):
        return
    sdk: Any = context.services.sdk
    with translate_errors(f"Cinder to describe the new volume {volume.id}"):
        sdk.block_storage.update_volume(
            volume.id, name=name, description=description, metadata=metadata
        )


def _set_properties(context: RestoreContext, item: BackupItem, volume: Any) -> None:
    """Set the properties that Cinder may refuse; what it refuses is noted, and no failure."""
    details = item.details
    wanted = dict(details.get("image_metadata") or {})
    present = dict(volume.volume_image_metadata or {})
    actions = VolumeActions(context.services, volume.id)
    try:
        changed = {k: v for k, v in wanted.items() if present.get(k) != v}
        if changed:
            actions.set_image_metadata(changed)
        for key in present.keys() - wanted.keys():
            actions.unset_image_metadata(key)
        bootable = bool(details.get("bootable", False))
        if bool(volume.is_bootable) is not bootable:
            actions.set_bootable(bootable=bootable)
    except Transient:
        raise
    except (BackendError, NotFound) as error:
        context.state.doubts[f"properties of volume {volume.id}"] = str(error)


def _retype_volume(context: RestoreContext, item: BackupItem, volume: Any) -> bool:
    """Give it its source's type; answer whether Cinder is at it now."""
    wanted = item.details.get("volume_type")
    if not wanted or volume.volume_type == wanted:
        return False
    doubt = f"type of volume {volume.id}"
    if item.id in context.state.retyped:
        context.state.doubts.setdefault(doubt, f"Cinder did not change it to {wanted!r}")
        return False
    if volume.status != "available":
        context.state.doubts[doubt] = f"it is {volume.status}, so it stays {volume.volume_type!r}"
        return False
    try:
        VolumeActions(context.services, volume.id).retype(wanted)
    except Transient:
        raise
    except (BackendError, NotFound) as error:
        context.state.doubts[doubt] = str(error)
        return False
    context.state.retyped.append(item.id)
    context.state.wait_for(ResourceKind.VOLUME, volume.id)
    return True
