"""Volumes: what is written down of one."""

from typing import TYPE_CHECKING, Final, cast

from karbor_backup_freezer.cloud.faults import asking
from karbor_backup_freezer.cloud.services import CloudServices
from karbor_backup_freezer.pieces import Mode, Piece
from karbor_backup_freezer.resources import VOLUME
from karbor_backup_freezer.survey.notes import compact, own_metadata

if TYPE_CHECKING:
    from openstack.block_storage.v3.volume import Volume

GIB: Final = 2**30


def find_volume(services: CloudServices, volume_id: str) -> "Volume":
    """Answer a volume; ``NotFound`` and the other errors of ``faults.asking``."""
    with asking(f"Cinder for volume {volume_id}"):
        # openstacksdk also knows Cinder's API v2, which Xena (2021) has dropped.
        return cast("Volume", services.sdk.block_storage.get_volume(volume_id))


def volume_piece(volume: "Volume", mode: Mode) -> Piece:
    """Write down a volume: its data, and what is needed to make one like it."""
    return Piece(
        type=VOLUME,
        id=volume.id,
        name=volume.name or "",
        mode=mode,
        size=volume.size * GIB,
        details=compact(
            {
                "volume_type": volume.volume_type,
                "availability_zone": volume.availability_zone,
                "metadata": own_metadata(volume.metadata),
                "bootable": volume.is_bootable,
                "image_metadata": volume.volume_image_metadata,
                "multiattach": volume.is_multiattach,
                "description": volume.description,
            }
        ),
    )
