"""The image that the agent has restored of a server, and the server that it made of that.

freezer 19.0.0 makes a server of its own from the image, without key pair, zone, addresses,
security groups, metadata or volumes, of which most cannot be given later. So that one is removed.
"""

from typing import Any

from karbor_backup_core import BackendError, Transient
from karbor_backup_freezer.model.items import Mode, StoredItem
from karbor_backup_freezer.restore.context import FreezerRestoreContext
from karbor_backup_openstack.errors import NotFound, translate_errors
from karbor_backup_openstack.resources import ResourceKind
from karbor_backup_openstack.restore.servers import BootImage
from karbor_backup_openstack.server_spec import ServerSpec


def prepare_boot_image(context: FreezerRestoreContext, spec: ServerSpec) -> BootImage:
    """Return the image of a server, once the agent's own server of it is gone."""
    image, failure = _find_server_image(context, spec)
    if failure:
        return BootImage(failure=failure)
    if _remove_agent_server(context, image):
        return BootImage()
    _set_image_properties(context, spec, image)
    return BootImage(image)


def _find_server_image(context: FreezerRestoreContext, spec: ServerSpec) -> tuple[Any, str]:
    """Return the image that the agent restored of a server, or why there is no good one."""
    item = _find_item(context, spec)
    if item is None:
        return None, "the backup holds no image of it"
    index, stored = item
    prefix = f"{context.item_prefix(index)}restore_"
    if stored.item.mode is Mode.TENANT:
        if sum(other.name == spec.name for other in context.contents.servers) > 1:
            return None, f"several servers are called {spec.name!r}: Freezer tells none apart"
        prefix += spec.name
    found = [
        image
        for image in context.agent_images()
        if image.name.startswith(prefix) and (stored.item.mode is Mode.NOVA or image.name == prefix)
    ]
    if not found:
        return None, "Freezer's restore has left no image of it"
    image = found[0]
    if image.status != "active":
        return None, f"Glance put its image {image.id} in state {image.status}"
    expected = max(stored.stored or 1, 1) if stored.item.mode is Mode.NOVA else 1
    if (image.size or 0) < expected:
        return None, f"Freezer brought back {image.size or 0} of {expected} bytes of its image"
    return image, ""


def _remove_agent_server(context: FreezerRestoreContext, image: Any) -> bool:
    """Remove the agent's own server of an image; answer whether it is there still."""
    agents = [s for s in context.agent_servers() if s.image.id == image.id]
    removal = context.resources.remove_resources(ResourceKind.SERVER, agents)
    for left in removal.pending:
        context.state.wait_for(ResourceKind.SERVER, left.id, gone=True)
    return bool(removal.pending)


def _set_image_properties(context: FreezerRestoreContext, spec: ServerSpec, image: Any) -> None:
    """Give the agent's image what its source tells Nova of buses, firmware and the like."""
    present = image.to_dict() | dict(image.properties or {})
    wanted = dict(spec.details.get("image_properties") or {})
    missing = {key: value for key, value in wanted.items() if present.get(key) != value}
    if not missing:
        return
    sdk: Any = context.services.sdk
    try:
        with translate_errors(f"Glance to give image {image.id} its properties"):
            sdk.image.update_image(image.id, **missing)
    except Transient:
        raise
    except (BackendError, NotFound) as error:
        context.state.doubts[f"image properties of server {spec.id}"] = str(error)


def _find_item(context: FreezerRestoreContext, spec: ServerSpec) -> tuple[int, StoredItem] | None:
    """Return the item that holds a server's image: its own, or Freezer's of the whole project."""
    for index, stored in enumerate(context.contents.items):
        if stored.item.mode is Mode.TENANT or stored.item.id == spec.id:
            return index, stored
    return None
