"""What this backend says of volumes."""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from openstack.block_storage.v3.volume import Volume

RESTORING: Final = "restoring-backup"
"""The state of a volume to which Cinder restores a backup."""


def encryption_problem(volume: "Volume") -> str:
    """Describe why an encrypted volume is not backed up; empty for another one."""
    if not volume.is_encrypted:
        return ""
    return (
        f"volume {volume.id} ({volume.name}) is encrypted, of type {volume.volume_type!r}: no "
        "backup of such a volume has been tried with karbor-backup"
    )
