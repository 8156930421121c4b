"""Actions on a volume of Cinder's, as its API v3 defines them.

They are sent as requests of their own. openstacksdk's methods for them take other arguments from
one release to the next, and before 4.16 they send the actions on image metadata in a form that
Cinder refuses.
"""

from typing import Any

from karbor_backup_openstack.errors import translate_errors
from karbor_backup_openstack.services import CloudServices


class VolumeActions:
    """Actions on one volume. Errors are those of ``errors.translate_errors``.

    Args:
        services: the cloud.
        volume_id: the volume.
    """

    def __init__(self, services: CloudServices, volume_id: str) -> None:
        self._services = services
        self._volume_id = volume_id

    def set_image_metadata(self, metadata: dict[str, str]) -> None:
        """Add entries to the image metadata, or change them."""
        what = f"to set image metadata {sorted(metadata)} of volume {self._volume_id}"
        self._send_action(what, "os-set_image_metadata", {"metadata": metadata})

    def unset_image_metadata(self, key: str) -> None:
        """Remove one entry of the image metadata."""
        what = f"to remove image metadata {key!r} of volume {self._volume_id}"
        self._send_action(what, "os-unset_image_metadata", {"key": key})

    def set_bootable(self, *, bootable: bool) -> None:
        """Set whether a server may boot from the volume."""
        what = f"to set bootable of volume {self._volume_id} to {bootable}"
        self._send_action(what, "os-set_bootable", {"bootable": bootable})

    def retype(self, volume_type: str) -> None:
        """Begin to change the type; the data moves to another backend if the type asks for it."""
        what = f"to give volume {self._volume_id} the type {volume_type!r}"
        arguments = {"new_type": volume_type, "migration_policy": "on-demand"}
        self._send_action(what, "os-retype", arguments)

    def _send_action(self, what: str, action: str, arguments: dict[str, Any]) -> None:
        from openstack.exceptions import raise_from_response

        with translate_errors(f"Cinder {what}"):
            path = f"/volumes/{self._volume_id}/action"
            response = self._services.sdk.block_storage.post(path, json={action: arguments})
            raise_from_response(response)
