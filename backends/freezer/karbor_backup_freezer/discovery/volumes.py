"""Volumes: what is written down of one."""

from typing import TYPE_CHECKING

from karbor_backup_freezer.model.items import BackupItem, Mode
from karbor_backup_freezer.model.resource_types import VOLUME
from karbor_backup_openstack.metadata import drop_empty, user_metadata
from karbor_backup_openstack.volumes import GIB

if TYPE_CHECKING:
    from openstack.block_storage.v3.volume import Volume


def volume_item(volume: "Volume", mode: Mode) -> BackupItem:
    """Write down a volume: its data, and what is needed to make one like it."""
    return BackupItem(
        type=VOLUME,
        id=volume.id,
        name=volume.name or "",
        mode=mode,
        size=volume.size * GIB,
        details=drop_empty(
            {
                "volume_type": volume.volume_type,
                "availability_zone": volume.availability_zone,
                "metadata": user_metadata(volume.metadata),
                "bootable": volume.is_bootable,
                "image_metadata": volume.volume_image_metadata,
                "multiattach": volume.is_multiattach,
                "description": volume.description,
            }
        ),
    )
