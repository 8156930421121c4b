"""The image that the agent has restored of a server, and the server that it made of that."""

from typing import Any

from karbor_backup_core import BackendError, Transient
from karbor_backup_freezer.cloud.faults import NotFound, asking
from karbor_backup_freezer.cloud.things import Kind
from karbor_backup_freezer.pieces import Mode, ServerNotes, StoredPiece
from karbor_backup_freezer.rebuild.site import Site


def find(site: Site, notes: ServerNotes) -> tuple[Any, str]:
    """The image that the agent restored of a server, or why there is no good one."""
    piece = _piece_of(site, notes)
    if piece is None:
        return None, "the backup holds no image of it"
    index, stored = piece
    prefix = f"{site.prefix(index)}restore_"
    if stored.piece.mode is Mode.TENANT:
        if sum(other.name == notes.name for other in site.contents.servers) > 1:
            return None, f"several servers are called {notes.name!r}: Freezer tells none apart"
        prefix += notes.name
    found = [
        image
        for image in site.restored_images()
        if image.name.startswith(prefix)
        and (stored.piece.mode is Mode.NOVA or image.name == prefix)
    ]
    if not found:
        return None, "Freezer's restore has left no image of it"
    image = found[0]
    if image.status != "active":
        return None, f"Glance put its image {image.id} in state {image.status}"
    expected = max(stored.stored or 1, 1) if stored.piece.mode is Mode.NOVA else 1
    if (image.size or 0) < expected:
        return None, f"Freezer brought back {image.size or 0} of {expected} bytes of its image"
    return image, ""


def agent_is_there(site: Site, image: Any) -> bool:
    """Remove the agent's own server of an image; answer whether it is there still."""
    agents = [s for s in site.agent_servers() if s.image.id == image.id]
    removal = site.things.remove(Kind.SERVER, agents)
    for left in removal.pending:
        site.notes.wait(Kind.SERVER, left.id, gone=True)
    return bool(removal.pending)


def give_properties(site: Site, notes: ServerNotes, image: Any) -> None:
    """Give the agent's image what its source tells Nova of buses, firmware and the like."""
    present = image.to_dict() | dict(image.properties or {})
    wanted = dict(notes.details.get("image_properties") or {})
    missing = {key: value for key, value in wanted.items() if present.get(key) != value}
    if not missing:
        return
    sdk: Any = site.services.sdk
    try:
        with asking(f"Glance to give image {image.id} its properties"):
            sdk.image.update_image(image.id, **missing)
    except Transient:
        raise
    except (BackendError, NotFound) as error:
        site.notes.doubts[f"image properties of server {notes.id}"] = str(error)


def _piece_of(site: Site, notes: ServerNotes) -> tuple[int, StoredPiece] | None:
    """The piece that holds a server's image: its own, or Freezer's of the whole project."""
    for index, stored in enumerate(site.contents.pieces):
        if stored.piece.mode is Mode.TENANT or stored.piece.id == notes.id:
            return index, stored
    return None
