"""Volumes: made for Cinder's own backups, found where the agent made them, and completed."""

from collections.abc import Iterable
from typing import Any, Final

from karbor_backup_core import BackendError, Resource, Transient
from karbor_backup_freezer.cloud.faults import NotFound, asking
from karbor_backup_freezer.cloud.things import Kind, image_name, is_busy
from karbor_backup_freezer.cloud.volume_actions import VolumeActions
from karbor_backup_freezer.pieces import Mode, Piece, StoredPiece
from karbor_backup_freezer.rebuild import zones
from karbor_backup_freezer.rebuild.creation import keep_if_alone
from karbor_backup_freezer.rebuild.names import is_marked, marks, restored_name
from karbor_backup_freezer.rebuild.notes import WAITING, Standing
from karbor_backup_freezer.rebuild.site import Site
from karbor_backup_freezer.resources import VOLUME
from karbor_backup_freezer.survey.notes import own_metadata

GIB: Final = 2**30


def prepare(site: Site, piece: Piece) -> Standing:
    """Have the volume that Cinder's own backup is to be restored to."""
    if site.operation.options.get("overwrite_volume", False):
        site.notes.volumes[piece.id] = piece.id
        return Standing(restored=piece.resource)
    if piece.id in site.notes.volumes:
        volume = _noted(site, piece)
        if volume is None:
            return Standing(failure=_missing(site, piece))
    else:
        made = (v for v in site.volumes if is_marked(v.metadata, site.operation, piece.id))
        volume = _oldest(made)
    if volume is None:
        volume = _create(site, piece, restored_name(site.operation, piece.resource))
    site.notes.volumes[piece.id] = volume.id
    return _settled(site, volume) or Standing(restored=Resource(VOLUME, volume.id, volume.name))


def advance(site: Site, index: int, stored: StoredPiece, device: str) -> Standing:
    """Bring one volume of the backup nearer to what its source was.

    Args:
        site: what the step has before it.
        index: the piece's place in the restore job.
        stored: the piece.
        device: its device's name, where it belongs to a server that is restored.
    """
    piece = stored.piece
    volume = _find(site, index, piece)
    if volume is None:
        return Standing(failure=_missing(site, piece))
    site.notes.volumes[piece.id] = volume.id
    if standing := _settled(site, volume):
        return standing
    if failure := _short(volume, stored):
        return Standing(failure=failure)
    if volume.id == piece.id:
        return Standing(restored=piece.resource)
    name = restored_name(site.operation, piece.resource, device)
    volume = zones.move(
        site,
        index,
        piece,
        volume,
        lambda image, found: _create(site, piece, name, besides=found, image_id=image),
    )
    if volume is None:
        return WAITING
    site.notes.volumes[piece.id] = volume.id
    _describe(site, piece, volume, name)
    _complete(site, piece, volume)
    if _retype(site, piece, volume):
        return WAITING
    return Standing(restored=Resource(VOLUME, volume.id, name))


def _find(site: Site, index: int, piece: Piece) -> Any | None:
    """The volume that was made of a piece; the agent's before one that was made of that."""
    if piece.id in site.notes.volumes:
        return _noted(site, piece)
    return _oldest(
        volume
        for volume in site.volumes
        if is_marked(volume.metadata, site.operation, piece.id)
        or image_name(volume).startswith(site.prefix(index))
    )


def _missing(site: Site, piece: Piece) -> str:
    noted = site.notes.volumes.get(piece.id)
    if noted is None:
        return "Freezer's restore has left no volume of it"
    return f"volume {noted}, made of it, is gone"


def _noted(site: Site, piece: Piece) -> Any | None:
    """The volume that an earlier step has noted, if it is still known for this operation's own."""
    identifier = site.notes.volumes.get(piece.id)
    volume = None if identifier is None else site.things.get(Kind.VOLUME, identifier)
    return volume if volume is not None and _is_own(site, piece, volume) else None


def _is_own(site: Site, piece: Piece, volume: Any) -> bool:
    if volume.id == piece.id:
        return bool(site.operation.options.get("overwrite_volume", False))
    marked = is_marked(volume.metadata, site.operation, piece.id)
    restored = image_name(volume).startswith(f"{site.job}-")
    return marked or restored or site.is_native_target(volume)


def _oldest(volumes: Iterable[Any]) -> Any | None:
    return next(iter(volumes), None)


def _create(site: Site, piece: Piece, name: str, besides: str = "", **source: str) -> Any:
    sdk: Any = site.services.sdk
    details = piece.details
    with asking(f"Cinder for a new volume like {piece.id}"):
        made = sdk.block_storage.create_volume(
            size=-(-(piece.size or 0) // GIB),
            name=name,
            description=details.get("description"),
            volume_type=details.get("volume_type"),
            availability_zone=details.get("availability_zone"),
            metadata={
                **own_metadata(details.get("metadata")),
                **marks(site.operation, piece.id),
            },
            **source,
        )
    keep_if_alone(site, Kind.VOLUME, made, piece.id, besides)
    return made


def _settled(site: Site, volume: Any) -> Standing | None:
    """The standing of a volume that cannot be worked on, None where it can."""
    if is_busy(Kind.VOLUME, volume):
        site.notes.wait(Kind.VOLUME, volume.id)
        return WAITING
    if volume.status not in ("available", "in-use"):
        return Standing(failure=f"Cinder put the new volume {volume.id} in state {volume.status}")
    return None


def _short(volume: Any, stored: StoredPiece) -> str:
    """Why a volume does not hold all of the piece, nothing where it does.

    While a volume bears the name of the agent's image, it tells that image's length too.
    """
    piece = stored.piece
    if piece.size is not None and volume.size * GIB < piece.size:
        return f"the new volume {volume.id} has {volume.size} GiB, its source {piece.size // GIB}"
    if piece.mode is not Mode.CINDER or is_marked_by_any(volume):
        return ""
    length = int((volume.volume_image_metadata or {}).get("size", 0))
    expected = piece.size if stored.stored is None else stored.stored
    if expected is not None and length < expected:
        return f"Freezer brought back {length} of {expected} bytes"
    return ""


def is_marked_by_any(volume: Any) -> bool:
    """Whether a volume has been described by a rebuild."""
    return bool(volume.metadata != own_metadata(volume.metadata))


def _describe(site: Site, piece: Piece, volume: Any, name: str) -> None:
    """Give it its name, description and metadata, marked: before what it is found by goes."""
    details = piece.details
    metadata = {
        **own_metadata(details.get("metadata")),
        **marks(site.operation, piece.id),
    }
    description = details.get("description") or ""
    if (volume.name, volume.description or "", volume.metadata) == (name, description, metadata):
        return
    sdk: Any = site.services.sdk
    with asking(f"Cinder to describe the new volume {volume.id}"):
        sdk.block_storage.update_volume(
            volume.id, name=name, description=description, metadata=metadata
        )


def _complete(site: Site, piece: Piece, volume: Any) -> None:
    """Set the properties that Cinder may refuse; what it refuses is noted, and no failure."""
    details = piece.details
    wanted = dict(details.get("image_metadata") or {})
    present = dict(volume.volume_image_metadata or {})
    actions = VolumeActions(site.services, volume.id)
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
        site.notes.doubts[f"properties of volume {volume.id}"] = str(error)


def _retype(site: Site, piece: Piece, volume: Any) -> bool:
    """Give it its source's type; answer whether Cinder is at it now."""
    wanted = piece.details.get("volume_type")
    if not wanted or volume.volume_type == wanted:
        return False
    doubt = f"type of volume {volume.id}"
    if piece.id in site.notes.retyped:
        site.notes.doubts.setdefault(doubt, f"Cinder did not change it to {wanted!r}")
        return False
    if volume.status != "available":
        site.notes.doubts[doubt] = f"it is {volume.status}, so it stays {volume.volume_type!r}"
        return False
    try:
        VolumeActions(site.services, volume.id).retype(wanted)
    except Transient:
        raise
    except (BackendError, NotFound) as error:
        site.notes.doubts[doubt] = str(error)
        return False
    site.notes.retyped.append(piece.id)
    site.notes.wait(Kind.VOLUME, volume.id)
    return True
