"""Images of a project that was protected with its images."""

from typing import Any

from karbor_backup_core import Resource
from karbor_backup_freezer.cloud.faults import asking
from karbor_backup_freezer.cloud.things import Kind
from karbor_backup_freezer.pieces import StoredPiece
from karbor_backup_freezer.rebuild.names import OPERATION, marks, restored_name
from karbor_backup_freezer.rebuild.notes import WAITING, Standing
from karbor_backup_freezer.rebuild.site import Site
from karbor_backup_freezer.resources import IMAGE


def advance(site: Site, stored: StoredPiece) -> Standing:
    """Find, name and complete one image.

    The agent names it ``<name>~<time of the backup>``, without the job's prefix. So of several
    restores of one backup at once none can tell which image is its own, and none needs to, as they
    are alike: each claims one that nobody has claimed, and looks later whether the claim held.
    """
    piece = stored.piece
    noted = site.notes.images.get(piece.id)
    if noted is None:
        image = _unclaimed(site, stored)
        if image is None:
            return Standing(failure="Freezer's restore has left no image of it")
        _update(site, image.id, marks(site.operation, piece.id))
        site.notes.images[piece.id] = image.id
        site.notes.wait(Kind.IMAGE, image.id)
        return WAITING
    image = site.things.get(Kind.IMAGE, noted)
    if image is None:
        return Standing(failure=f"image {noted}, made of it, is gone")
    if _claim(image) != site.operation.id:
        del site.notes.images[piece.id]
        return advance(site, stored)
    name = restored_name(site.operation, piece.resource)
    if image.name != name:
        _update(site, image.id, {"name": name})
    return Standing(restored=Resource(IMAGE, image.id, name))


def _unclaimed(site: Site, stored: StoredPiece) -> Any | None:
    piece = stored.piece
    name = f"{piece.name or piece.id}~{stored.time_stamp}"
    candidates = [
        image
        for image in site.images
        if image.name == name
        and image.status == "active"
        and _claim(image) in ("", site.operation.id)
        and (stored.stored is None or image.size >= stored.stored)
    ]
    candidates.sort(key=lambda image: _claim(image) != site.operation.id)
    return candidates[0] if candidates else None


def _claim(image: Any) -> str:
    return str((image.properties or {}).get(OPERATION, ""))


def _update(site: Site, identifier: str, values: dict[str, str]) -> None:
    sdk: Any = site.services.sdk
    with asking(f"Glance to change image {identifier}"):
        sdk.image.update_image(identifier, **values)
