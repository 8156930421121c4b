"""Volumes made again in the zone of their source.

freezer 19.0.0 names no zone, so that Cinder chooses one. A copy of a volume stays in its zone, an
image knows none: so the volume becomes an image, and the image a volume where it belongs.
"""

from collections.abc import Callable
from typing import Any

from karbor_backup_core import BackendError, InvalidInput, Transient
from karbor_backup_freezer.model.items import BackupItem
from karbor_backup_freezer.restore.context import FreezerRestoreContext
from karbor_backup_openstack.errors import translate_errors
from karbor_backup_openstack.metadata import is_marked
from karbor_backup_openstack.resources import ResourceKind, is_busy
from karbor_backup_openstack.restore.creation import keep_in_time


def move_to_zone(
    context: FreezerRestoreContext,
    index: int,
    item: BackupItem,
    found: Any,
    make: Callable[[str, str], Any],
) -> Any | None:
    """Return the volume in the right zone, None while it is on its way.

    Where Cinder cannot make it there, that is noted, and the volume stays where it is.

    Args:
        context: what the step has before it.
        index: the item's place in the restore job.
        item: what the volume was made of.
        found: the volume as the agent made it.
        make: begins to make a volume like the source of the image of an id, beside the volume of
            an id.
    """
    zone = item.details.get("availability_zone")
    if not zone or found.availability_zone == zone or item.id in context.state.unmoved:
        return found
    name = f"{context.item_prefix(index)}zone_{item.id}"
    try:
        return _continue_move(context, item, found, name, make)
    except Transient:
        raise
    except (BackendError, InvalidInput) as error:
        context.state.unmoved.append(item.id)
        context.state.doubts[f"zone of volume {found.id}"] = (
            f"it is in zone {found.availability_zone} and its source was in {zone}: {error}"
        )
        return found


def _continue_move(
    context: FreezerRestoreContext,
    item: BackupItem,
    found: Any,
    name: str,
    make: Callable[[str, str], Any],
) -> Any | None:
    made = (v for v in context.volumes if is_marked(v.metadata, context.operation, item.id))
    volume = next((v for v in made if v.id != found.id), None)
    if volume is not None:
        return _get_if_ready(context, volume)
    image = next((i for i in context.images if i.name == name), None)
    if image is None:
        _upload_to_image(context, found, name)
    elif image.status == "active":
        context.state.wait_for(ResourceKind.VOLUME, make(image.id, found.id).id)
    elif is_busy(ResourceKind.IMAGE, image):
        context.state.wait_for(ResourceKind.IMAGE, image.id)
    else:
        raise BackendError(f"Glance put image {image.id} in state {image.status}")
    return None


def _get_if_ready(context: FreezerRestoreContext, volume: Any) -> Any | None:
    if is_busy(ResourceKind.VOLUME, volume):
        context.state.wait_for(ResourceKind.VOLUME, volume.id)
        return None
    if volume.status != "available":
        raise BackendError(f"Cinder put volume {volume.id} in state {volume.status}")
    return volume


def _upload_to_image(context: FreezerRestoreContext, volume: Any, name: str) -> None:
    block_storage: Any = context.services.sdk.block_storage
    with translate_errors(f"Cinder to make an image of volume {volume.id}"):
        made = block_storage.upload_volume_to_image(
            volume, name, disk_format="raw", container_format="bare"
        )
    keep_in_time(context, ResourceKind.IMAGE, made["image_id"])
    context.state.wait_for(ResourceKind.VOLUME, volume.id)
    context.state.wait_for(ResourceKind.IMAGE, made["image_id"])
