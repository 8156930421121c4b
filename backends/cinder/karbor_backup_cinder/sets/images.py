"""The images of system disks that no volume holds: made by Nova, kept in Glance.

Such an image is part of the backup: it stays until the backup is deleted.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from karbor_backup_cinder.names import cinder_backup_name
from karbor_backup_core import BackendError, Leftover, Operation
from karbor_backup_openstack.errors import translate_errors
from karbor_backup_openstack.marked_resources import MarkedResources
from karbor_backup_openstack.metadata import MEMBER_KEY, OPERATION_KEY, operation_metadata
from karbor_backup_openstack.resources import RemovalStatus, ResourceKind
from karbor_backup_openstack.server_spec import ServerSpec

READY = "active"
"""The state of an image that is whole."""


class SystemDiskImages(MarkedResources):
    """Finds, makes and removes the images of an operation, by the ids of their servers."""

    kind = ResourceKind.IMAGE

    def get(self, identifier: str) -> Any | None:
        """Return an image, None where Glance has none of that id."""
        return self._resources.get(ResourceKind.IMAGE, identifier)

    def create(self, operation: Operation, servers: Iterable[ServerSpec]) -> None:
        """Have Nova make an image of the system disk of each of the servers."""
        for server in servers:
            with translate_errors(f"Nova for an image of server {server.id}"):
                self._services.sdk.compute.create_server_image(
                    server.id,
                    cinder_backup_name(operation),
                    metadata=operation_metadata(operation, server.id),
                )

    def remove_kept(self, backup_id: str, images: Mapping[str, str]) -> RemovalStatus:
        """Ask for the removal of the images of a backup.

        One that is not provably of the backup is left alone, and named.

        Args:
            backup_id: the id of the protect that made them.
            images: their ids, by those of their servers.
        """
        found = {server: self.get(image) for server, image in images.items()}
        present = {server: image for server, image in found.items() if image is not None}
        own = [i for server, i in present.items() if belongs_to(i, backup_id, server)]
        removal = self._resources.remove_resources(ResourceKind.IMAGE, own)
        strange = tuple(
            Leftover(ResourceKind.IMAGE, i.id, f"it is not provably of backup {backup_id}")
            for i in present.values()
            if i not in own
        )
        return RemovalStatus(removal.pending, (*removal.leftovers, *strange))


def belongs_to(image: Any, backup_id: str, server: str) -> bool:
    """Return whether a backup's protect has made an image of a server."""
    marks = image.properties or {}
    return (marks.get(OPERATION_KEY), marks.get(MEMBER_KEY)) == (backup_id, server)


def require_whole(image: Any, server: str) -> None:
    """Refuse an image that holds nothing.

    Raises:
        BackendError: Glance does not call it active, or empty.
    """
    if image.status != READY or not image.size:
        raise BackendError(
            f"image {image.id} of server {server} is in state {image.status} and has "
            f"{image.size or 0} bytes"
        )
