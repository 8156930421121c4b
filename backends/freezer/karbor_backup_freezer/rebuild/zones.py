"""Volumes made again in the zone of their source.

freezer 19.0.0 names no zone, so that Cinder chooses one. A copy of a volume stays in its zone, an
image knows none: so the volume becomes an image, and the image a volume where it belongs.
"""

from collections.abc import Callable
from typing import Any

from karbor_backup_core import BackendError, InvalidInput, Transient
from karbor_backup_freezer.cloud.faults import asking
from karbor_backup_freezer.cloud.things import Kind, is_busy
from karbor_backup_freezer.pieces import Piece
from karbor_backup_freezer.rebuild.creation import keep_in_time
from karbor_backup_freezer.rebuild.names import is_marked
from karbor_backup_freezer.rebuild.site import Site


def move(
    site: Site, index: int, piece: Piece, found: Any, make: Callable[[str, str], Any]
) -> Any | None:
    """Answer the volume in the right zone, None while it is on its way.

    Where Cinder cannot make it there, that is noted, and the volume stays where it is.

    Args:
        site: what the step has before it.
        index: the piece's place in the restore job.
        piece: what the volume was made of.
        found: the volume as the agent made it.
        make: begins to make a volume like the source of the image of an id, beside the volume of
            an id.
    """
    zone = piece.details.get("availability_zone")
    if not zone or found.availability_zone == zone or piece.id in site.notes.unmoved:
        return found
    name = f"{site.prefix(index)}zone_{piece.id}"
    try:
        return _moved(site, piece, found, name, make)
    except Transient:
        raise
    except (BackendError, InvalidInput) as error:
        site.notes.unmoved.append(piece.id)
        site.notes.doubts[f"zone of volume {found.id}"] = (
            f"it is in zone {found.availability_zone} and its source was in {zone}: {error}"
        )
        return found


def _moved(
    site: Site, piece: Piece, found: Any, name: str, make: Callable[[str, str], Any]
) -> Any | None:
    made = (v for v in site.volumes if is_marked(v.metadata, site.operation, piece.id))
    volume = next((v for v in made if v.id != found.id), None)
    if volume is not None:
        return _settled(site, volume)
    image = next((i for i in site.images if i.name == name), None)
    if image is None:
        _upload(site, found, name)
    elif image.status == "active":
        site.notes.wait(Kind.VOLUME, make(image.id, found.id).id)
    elif is_busy(Kind.IMAGE, image):
        site.notes.wait(Kind.IMAGE, image.id)
    else:
        raise BackendError(f"Glance put image {image.id} in state {image.status}")
    return None


def _settled(site: Site, volume: Any) -> Any | None:
    if is_busy(Kind.VOLUME, volume):
        site.notes.wait(Kind.VOLUME, volume.id)
        return None
    if volume.status != "available":
        raise BackendError(f"Cinder put volume {volume.id} in state {volume.status}")
    return volume


def _upload(site: Site, volume: Any, name: str) -> None:
    block_storage: Any = site.services.sdk.block_storage
    with asking(f"Cinder to make an image of volume {volume.id}"):
        made = block_storage.upload_volume_to_image(
            volume, name, disk_format="raw", container_format="bare"
        )
    keep_in_time(site, Kind.IMAGE, made["image_id"])
    site.notes.wait(Kind.VOLUME, volume.id)
    site.notes.wait(Kind.IMAGE, made["image_id"])
