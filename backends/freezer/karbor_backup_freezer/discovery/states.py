"""Why Freezer's agent cannot back a volume up."""

from typing import TYPE_CHECKING

from karbor_backup_openstack.volumes import volume_state_problem

if TYPE_CHECKING:
    from openstack.block_storage.v3.volume import Volume


def volume_problem(volume: "Volume") -> str:
    """Describe why a volume cannot be backed up now, or never; empty if it can."""
    if volume.is_encrypted:
        return (
            f"volume {volume.id} ({volume.name}) is encrypted, of type {volume.volume_type!r}: "
            "Freezer stores its bytes without the key that reads them"
        )
    return volume_state_problem(volume)
