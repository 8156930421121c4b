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

    def reimage(self, image_id: str) -> None:
        """Begin to write an image over what the volume holds; Cinder can since its API 3.68."""
        what = f"to write image {image_id} to volume {self._volume_id}"
        self._send_action(what, "os-reimage", {"image_id": image_id}, microversion="3.68")

    def upload_to_image(self, name: str) -> str:
        """Begin to copy all of the volume to a new raw image; return the image's id."""
        what = f"to copy volume {self._volume_id} to an image"
        arguments = {"image_name": name, "disk_format": "raw", "container_format": "bare"}
        answer = self._send_action(what, "os-volume_upload_image", arguments)
        return str(answer.json()["os-volume_upload_image"]["image_id"])

    def _send_action(
        self, what: str, action: str, arguments: dict[str, Any], **options: Any
    ) -> Any:
        from openstack.exceptions import raise_from_response

        with translate_errors(f"Cinder {what}"):
            response = self._services.sdk.block_storage.post(
                f"/volumes/{self._volume_id}/action", json={action: arguments}, **options
            )
            raise_from_response(response)
        return response
