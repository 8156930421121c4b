"""Volumes that the agent may have made for a restore that did not succeed."""

import re
from typing import Any

from karbor_backup_core import Leftover
from karbor_backup_freezer.model.items import Mode
from karbor_backup_freezer.restore.context import FreezerRestoreContext
from karbor_backup_openstack.metadata import user_metadata
from karbor_backup_openstack.resources import ResourceKind, source_image_name


def find_unproven_volumes(context: FreezerRestoreContext) -> tuple[Leftover, ...]:
    """Name the volumes that may be of this restore, and of which nothing proves it.

    Cinder notes what image a volume is made of only when it is made; one that failed before has
    nothing but the name that the agent gives it, as every other restore of the backup does.
    """
    note = "it may be of this restore: Cinder notes an image's name only of volumes that are whole"
    return tuple(
        Leftover(
            ResourceKind.VOLUME, volume.id, f"{volume.name!r} in state {volume.status}; {note}"
        )
        for volume in context.volumes
        if _may_belong(context, volume)
    )


def _may_belong(context: FreezerRestoreContext, volume: Any) -> bool:
    if source_image_name(volume) or volume.metadata != user_metadata(volume.metadata):
        return False
    if not context.is_created_since_start(volume):
        return False
    items = [s.item for s in context.contents.items if s.item.mode is Mode.CINDER]
    names = {name for item in items for name in (item.name, item.id)}
    return any(re.fullmatch(rf"{re.escape(name)}~\d+", volume.name or "") for name in names)
