"""What of the backup of a set can be restored alone."""

from collections.abc import Iterator

from karbor_backup_cinder.model import Handle, SourceVolume
from karbor_backup_cinder.sets.model import SetHandle, SetReceipt, StoredVolume, server_resource
from karbor_backup_core import Member, Operation
from karbor_backup_openstack.volumes import GIB


def build_handle(receipt: SetReceipt) -> SetHandle:
    """Return the handle of a set whose disks have all been stored."""
    return SetHandle(volumes=receipt.volumes, servers=receipt.servers, images=receipt.images)


def list_members(operation: Operation, handle: SetHandle) -> Iterator[Member]:
    """Yield the servers of a project, each with its volumes, and every volume."""
    for server in handle.servers:
        if server.id != operation.resource.id:
            alone = handle.for_server(server)
            yield Member(server_resource(server), alone.to_document(operation.id))
    for volume in handle.volumes:
        yield Member(volume.resource, _volume_handle(volume).to_document(operation.id))


def _volume_handle(volume: StoredVolume) -> Handle:
    """Return the handle with which a volume is restored as if it had been protected alone."""
    details = volume.details
    return Handle(
        backup=volume.backup,
        source=SourceVolume(
            id=volume.id,
            name=volume.name,
            size=volume.size // GIB,
            volume_type=details.get("volume_type", ""),
            availability_zone=details.get("availability_zone", ""),
            description=details.get("description", ""),
            bootable=details.get("bootable", False),
        ),
    )
