"""What is written down of a volume."""

from typing import TYPE_CHECKING, Any

from karbor_backup_openstack.metadata import drop_empty, user_metadata

if TYPE_CHECKING:
    from openstack.block_storage.v3.volume import Volume


def volume_details(volume: "Volume") -> dict[str, Any]:
    """Return what is needed to make a volume like this one, beside its name and size."""
    return drop_empty(
        {
            "volume_type": volume.volume_type,
            "availability_zone": volume.availability_zone,
            "metadata": user_metadata(volume.metadata),
            "bootable": volume.is_bootable,
            "image_metadata": volume.volume_image_metadata,
            "multiattach": volume.is_multiattach,
            "description": volume.description,
        }
    )
