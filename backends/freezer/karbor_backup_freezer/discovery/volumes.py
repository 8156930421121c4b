"""Volumes: what is written down of one."""

from typing import TYPE_CHECKING, Final, cast

from karbor_backup_freezer.cloud.errors import translate_errors
from karbor_backup_freezer.cloud.services import CloudServices
from karbor_backup_freezer.discovery.metadata import drop_empty, user_metadata
from karbor_backup_freezer.model.items import BackupItem, Mode
from karbor_backup_freezer.model.resource_types import VOLUME

if TYPE_CHECKING:
    from openstack.block_storage.v3.volume import Volume

GIB: Final = 2**30


def find_volume(services: CloudServices, volume_id: str) -> "Volume":
    """Return a volume; ``NotFound`` and the other errors of ``errors.translate_errors``."""
    with translate_errors(f"Cinder for volume {volume_id}"):
        # openstacksdk also knows Cinder's API v2, which Xena (2021) has dropped.
        return cast("Volume", services.sdk.block_storage.get_volume(volume_id))


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
