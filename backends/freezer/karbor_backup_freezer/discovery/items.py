"""The items of servers, volumes and images: what is written down of each."""

from typing import TYPE_CHECKING, Final

from karbor_backup_freezer.model.items import BackupItem, Mode
from karbor_backup_openstack.discovery.volumes import volume_details
from karbor_backup_openstack.metadata import drop_empty
from karbor_backup_openstack.resource_types import IMAGE, SERVER, VOLUME
from karbor_backup_openstack.volumes import GIB

if TYPE_CHECKING:
    from openstack.block_storage.v3.volume import Volume
    from openstack.compute.v2.server import Server
    from openstack.image.v2.image import Image


_IMAGE_FIELDS: Final = (
    "disk_format",
    "container_format",
    "min_disk",
    "min_ram",
    "visibility",
    "tags",
    "architecture",
    "os_type",
    "os_distro",
    "os_version",
)
_READ_ONLY: Final = ("stores", "owner_specified.")
"""Properties that Glance and openstacksdk's uploads write themselves."""


def server_item(server: "Server") -> BackupItem:
    """Return the system disk of a server that boots from an image; Nova does not say how large."""
    return BackupItem(type=SERVER, id=server.id, name=server.name, mode=Mode.NOVA)


def volume_item(volume: "Volume", mode: Mode) -> BackupItem:
    """Write down a volume: its data, and what is needed to make one like it."""
    return BackupItem(
        type=VOLUME,
        id=volume.id,
        name=volume.name or "",
        mode=mode,
        size=volume.size * GIB,
        details=volume_details(volume),
    )


def image_item(image: "Image") -> BackupItem:
    """Write down an image: its data, and what is needed to make one like it."""
    properties = {
        name: value
        for name, value in (image.properties or {}).items()
        if not name.startswith(_READ_ONLY)
    }
    details = {name: getattr(image, name) for name in _IMAGE_FIELDS}
    return BackupItem(
        type=IMAGE,
        id=image.id,
        name=image.name or "",
        mode=Mode.GLANCE,
        size=image.size,
        details=drop_empty({**details, "properties": properties}),
    )
