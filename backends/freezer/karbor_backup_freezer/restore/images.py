"""Images of a project that was protected with its images."""

from typing import Any

from karbor_backup_core import Resource
from karbor_backup_freezer.model.items import StoredItem
from karbor_backup_freezer.restore.context import FreezerRestoreContext
from karbor_backup_openstack.errors import translate_errors
from karbor_backup_openstack.metadata import OPERATION_KEY, operation_metadata
from karbor_backup_openstack.resource_types import IMAGE
from karbor_backup_openstack.resources import ResourceKind
from karbor_backup_openstack.restore.names import restored_name
from karbor_backup_openstack.restore.state import PENDING, MemberStatus


def restore_image(context: FreezerRestoreContext, stored: StoredItem) -> MemberStatus:
    """Find, name and complete one image.

    The agent names it ``<name>~<time of the backup>``, without the job's prefix. So of several
    restores of one backup at once none can tell which image is its own, and none needs to, as they
    are alike: each claims one that nobody has claimed, and looks later whether the claim held.
    """
    item = stored.item
    noted = context.state.images.get(item.id)
    if noted is None:
        image = _find_unclaimed(context, stored)
        if image is None:
            return MemberStatus(failure="Freezer's restore has left no image of it")
        _update_image(context, image.id, operation_metadata(context.operation, item.id))
        context.state.images[item.id] = image.id
        context.state.wait_for(ResourceKind.IMAGE, image.id)
        return PENDING
    image = context.resources.get(ResourceKind.IMAGE, noted)
    if image is None:
        return MemberStatus(failure=f"image {noted}, made of it, is gone")
    if _claiming_operation(image) != context.operation.id:
        del context.state.images[item.id]
        return restore_image(context, stored)
    name = restored_name(context.operation, item.resource)
    if image.name != name:
        _update_image(context, image.id, {"name": name})
    return MemberStatus(restored=Resource(IMAGE, image.id, name))


def _find_unclaimed(context: FreezerRestoreContext, stored: StoredItem) -> Any | None:
    item = stored.item
    name = f"{item.name or item.id}~{stored.time_stamp}"
    candidates = [
        image
        for image in context.images
        if image.name == name
        and image.status == "active"
        and _claiming_operation(image) in ("", context.operation.id)
        and (stored.stored is None or image.size >= stored.stored)
    ]
    candidates.sort(key=lambda image: _claiming_operation(image) != context.operation.id)
    return candidates[0] if candidates else None


def _claiming_operation(image: Any) -> str:
    return str((image.properties or {}).get(OPERATION_KEY, ""))


def _update_image(context: FreezerRestoreContext, identifier: str, values: dict[str, str]) -> None:
    sdk: Any = context.services.sdk
    with translate_errors(f"Glance to change image {identifier}"):
        sdk.image.update_image(identifier, **values)
