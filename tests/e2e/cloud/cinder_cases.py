"""What a volume and a server may have, for what of it comes back of a backup in Cinder."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import attrs
from openstack.connection import Connection

from karbor_backup_openstack.metadata import user_metadata
from sandbox.openstack.guest import TEXT_OFFSET
from sandbox.openstack.testing import CloudTestTools
from tests.e2e.cloud.test_servers import server_facts

_CINDERS: Final = ("attached_mode", "readonly", "src_backup_id")
"""Metadata of volumes that are Cinder's own: of an attachment, and of what a restore made."""

TEXT_LENGTH: Final = 6
"""The bytes that are compared of each disk."""


@attrs.frozen
class View:
    """One volume or server, as its user and an administrator see it.

    Attributes:
        cloud_tools: looks into disks.
        sdk: the user's connection.
        shown: the volume or server as an administrator gets it.
    """

    cloud_tools: CloudTestTools
    sdk: Connection
    shown: Any

    @property
    def ports(self) -> Sequence[Any]:
        """A server's ports, by network."""
        found = self.sdk.network.ports(device_id=self.shown.id)
        return sorted(found, key=lambda port: str(port.network_id))

    @property
    def data_volume(self) -> Any:
        """The one volume of a server."""
        (attached,) = self.sdk.compute.volume_attachments(self.shown.id)
        return self.sdk.block_storage.get_volume(attached.volume_id)

    def read_volume(self, identifier: str) -> bytes:
        """Return the bytes of a volume that are compared."""
        content: bytes = self.cloud_tools.read_volume(identifier, 0, TEXT_LENGTH)
        return content

    def look_at_ports(self, *names: str) -> object:
        """Return some attributes of each of a server's ports."""
        return [[getattr(port, name) for name in names] for port in self.ports]

    def look_at_attachment(self, name: str) -> object:
        """Return an attribute of the attachment of a server's one volume."""
        (attached,) = self.sdk.compute.volume_attachments(self.shown.id)
        return getattr(attached, name)

    def fact(self, name: str) -> object:
        """Return one of a server's facts."""
        return server_facts(self.shown)[name]


Look: TypeAlias = Callable[[View], object]
"""Returns what is the same where it came back."""


def _own_metadata(volume: Any) -> object:
    """Return a volume's metadata without what is Cinder's own."""
    metadata = user_metadata(volume.metadata)
    return {key: value for key, value in metadata.items() if key not in _CINDERS}


def _count_snapshots(view: View) -> int:
    return len(list(view.sdk.block_storage.snapshots(volume_id=view.shown.id)))


VOLUME_CASES: Final[Mapping[str, Look]] = {
    "data": lambda view: view.read_volume(view.shown.id),
    "size": lambda view: view.shown.size,
    "name": lambda view: view.shown.name,
    "description": lambda view: view.shown.description,
    "type": lambda view: view.shown.volume_type,
    "metadata": lambda view: _own_metadata(view.shown),
    "metadata of its image": lambda view: view.shown.volume_image_metadata,
    "whether it is bootable": lambda view: view.shown.is_bootable,
    "snapshots": _count_snapshots,
    "attachments": lambda view: len(view.shown.attachments),
    "id": lambda view: view.shown.id,
}

SERVER_CASES: Final[Mapping[str, Look]] = {
    "system disk on no volume: data": lambda view: view.cloud_tools.read_disk(
        view.shown.id, TEXT_OFFSET, TEXT_LENGTH
    ),
    "volume: data": lambda view: view.read_volume(view.data_volume.id),
    "volume: device": lambda view: view.look_at_attachment("device"),
    "volume: removed with the server": lambda view: view.look_at_attachment(
        "delete_on_termination"
    ),
    "volume: name": lambda view: view.data_volume.name,
    "volume: description": lambda view: view.data_volume.description,
    "volume: type": lambda view: view.data_volume.volume_type,
    "volume: metadata": lambda view: _own_metadata(view.data_volume),
    "name": lambda view: view.shown.name,
    "flavor": lambda view: view.fact("flavor"),
    "networks": lambda view: view.look_at_ports("network_id"),
    "fixed addresses, where they are free": lambda view: view.fact("addresses"),
    "MAC addresses": lambda view: view.look_at_ports("mac_address"),
    "security groups of each port": lambda view: view.look_at_ports("security_group_ids"),
    "allowed address pairs of each port": lambda view: [
        [pair["ip_address"] for pair in port.allowed_address_pairs] for port in view.ports
    ],
    "descriptions of ports": lambda view: view.look_at_ports("description"),
    "key pair": lambda view: view.fact("key"),
    "zone": lambda view: view.fact("zone"),
    "metadata": lambda view: view.fact("metadata"),
    "tags": lambda view: view.fact("tags"),
    "description": lambda view: view.fact("description"),
    "user data": lambda view: view.shown.user_data,
    "server groups": lambda view: view.shown.server_groups,
    "that it was shut off": lambda view: view.shown.status,
    "id": lambda view: view.shown.id,
}
