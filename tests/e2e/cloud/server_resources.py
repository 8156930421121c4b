"""Servers of a real cloud for rules of the contract: each with two volumes of one content."""

import attrs
from openstack.connection import Connection

from karbor_backup_cinder.harness import MARK, VolumeResources
from karbor_backup_contract import Inventory
from karbor_backup_core import Resource
from karbor_backup_openstack.metadata import MEMBER_KEY
from karbor_backup_openstack.resource_types import SERVER, VOLUME
from sandbox.openstack.testing import CloudTestTools
from tests.e2e.cloud.owned_resources import OwnedResources, wait_until

_HEAD = 8
_MIXED_UP = b"disks that do not belong together"


@attrs.frozen
class ServerResources:
    """Servers that boot from a volume and have another one; neither holds a system.

    Attributes:
        owned: makes them, and removes at the end what is left.
        volumes: knows their volumes.
        known: the ids of all servers that were made.
    """

    owned: OwnedResources
    volumes: VolumeResources
    known: set[str] = attrs.field(factory=set)

    @property
    def sdk(self) -> Connection:
        return self.owned.sdk

    @property
    def cloud_tools(self) -> CloudTestTools:
        return self.owned.cloud_tools

    def create(self, kind: str, name: str, content: bytes) -> Resource:
        """Make a server, and write the content to both of its volumes."""
        mark = {MARK: self.volumes.mark}
        data = len(content).to_bytes(_HEAD) + content
        root, other = (self.owned.make_volume(name, data, metadata=mark) for _ in range(2))
        self.volumes.known.update((root, other))
        self.sdk.block_storage.set_volume_bootable_status(root, True)
        server = self.owned.make_server_from_volume(name, root, other)
        self.known.add(server)
        return Resource(kind, server, self.sdk.compute.get_server(server).name)

    def read(self, resource: Resource) -> bytes:
        """Return the content that both volumes of a server have."""
        contents = {self._read_volume(volume) for volume in self._list_volumes(resource)}
        return contents.pop() if len(contents) == 1 else _MIXED_UP

    def write(self, resource: Resource, content: bytes) -> None:
        """Write both volumes of a server anew."""
        for volume in self._list_volumes(resource):
            self.cloud_tools.write_volume(volume, 0, len(content).to_bytes(_HEAD) + content)

    def delete(self, resource: Resource) -> None:
        """Remove a server with its volumes, and wait until they are gone."""
        listed = {server.id for server in self.sdk.compute.servers()}
        if resource.id not in listed:
            return
        volumes = self._list_volumes(resource)
        self.sdk.compute.delete_server(resource.id)
        wait_until(lambda: resource.id not in {each.id for each in self.sdk.compute.servers()})
        for volume in volumes:
            self.volumes.delete(Resource(VOLUME, volume))

    def list_inventory(self) -> Inventory:
        """List the servers and volumes, those of restores too, and snapshots and backups."""
        servers = [
            f"server/{server.id}"
            for server in self.sdk.compute.servers()
            if server.id in self.known or server.metadata.get(MEMBER_KEY) in self.known
        ]
        return Inventory(data=(*servers, *self.volumes.list_present()))

    def _list_volumes(self, resource: Resource) -> list[str]:
        assert resource.type == SERVER
        return [each.volume_id for each in self.sdk.compute.volume_attachments(resource.id)]

    def _read_volume(self, volume: str) -> bytes:
        length = int.from_bytes(self.cloud_tools.read_volume(volume, 0, _HEAD))
        content: bytes = self.cloud_tools.read_volume(volume, _HEAD, length)
        return content
