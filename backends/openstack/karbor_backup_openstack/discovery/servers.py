"""Servers: what is written down of one, and which of its volumes it boots from."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from karbor_backup_core import Check
from karbor_backup_openstack.discovery.flavors import FlavorDiscovery
from karbor_backup_openstack.discovery.machines import machine_properties
from karbor_backup_openstack.discovery.networks import NetworkDiscovery
from karbor_backup_openstack.errors import translate_errors
from karbor_backup_openstack.metadata import drop_empty, user_metadata
from karbor_backup_openstack.server_spec import Attachment, ServerSpec
from karbor_backup_openstack.services import CloudServices

if TYPE_CHECKING:
    from openstack.block_storage.v3.volume import Volume
    from openstack.compute.v2.server import Server
    from openstack.compute.v2.volume_attachment import VolumeAttachment


@attrs.frozen
class DiscoveredServer:
    """A server that was looked at.

    Attributes:
        notes: what is needed to make it again.
        checks: what of it is not in the backup, or could not be made sure of.
    """

    spec: ServerSpec
    checks: tuple[Check, ...]


class ServerDiscovery:
    """Writes servers down.

    Args:
        services: the cloud.
        volume: answers the volume of an id; its errors are passed on.
    """

    def __init__(self, services: CloudServices, volume: Callable[[str], "Volume"]) -> None:
        self._services = services
        self._volume = volume
        self._flavors = FlavorDiscovery(services)
        self._networks = NetworkDiscovery(services)

    def discover_server(
        self, server: "Server", included: Callable[[Attachment], bool]
    ) -> DiscoveredServer:
        """Write down a server. Errors are those of ``errors.translate_errors``.

        Args:
            server: the server.
            included: whether a volume of it, the one with ``boot_index`` 0 being the one that it
                boots from, is to be in the backup.
        """
        attached = sorted(self._list_attachments(server), key=_device_order)
        boots_from_volume = not server.image
        root, doubt = self._find_root_volume(server, attached) if boots_from_volume else (None, ())
        ordered = sorted(attached, key=lambda one: one is not root)
        attachments = [_to_attachment(one, root) for one in ordered]
        shape = machine_properties(self._services, server) if server.image else {}
        notes = ServerSpec(
            id=server.id,
            name=server.name,
            boots_from_volume=boots_from_volume,
            attachments=tuple(attrs.evolve(one, included=included(one)) for one in attachments),
            details=self._details(server, shape or {}),
        )
        unknown = (_unknown_machine_check(server),) if shape is None else ()
        lost = (*_group_check(server), *self._networks.unrestored_checks(server))
        return DiscoveredServer(notes, (*doubt, *unknown, *_missing_data_checks(notes), *lost))

    def _details(self, server: "Server", shape: Mapping[str, str]) -> dict[str, Any]:
        return drop_empty(
            {
                "image_properties": shape,
                "flavor": self._flavors.describe_flavor(server),
                "networks": self._networks.describe_interfaces(server),
                "key_name": server.key_name,
                "availability_zone": server.availability_zone,
                "metadata": user_metadata(server.metadata),
                "config_drive": bool(server.has_config_drive),
                "tags": server.tags,
                "description": server.description,
            }
        )

    def _list_attachments(self, server: "Server") -> list["VolumeAttachment"]:
        if not server.attached_volumes:
            return []
        with translate_errors(f"Nova for the volumes of server {server.id}"):
            return list(self._services.sdk.compute.volume_attachments(server))

    def _find_root_volume(
        self, server: "Server", attached: Sequence["VolumeAttachment"]
    ) -> tuple["VolumeAttachment | None", tuple[Check, ...]]:
        """Return the volume that a server boots from, and a check if that is in doubt.

        Nova tells the device to administrators only. For others it is the first bootable volume in
        the order of devices, which is how Nova names them.
        """
        named = [one for one in attached if one.device and one.device == server.root_device_name]
        if named or len(attached) <= 1:
            return next(iter([*named, *attached]), None), ()
        bootable = [one for one in attached if self._volume(one.volume_id).is_bootable]
        return (bootable or attached)[0], _root_volume_check(server, len(bootable))


def _to_attachment(one: "VolumeAttachment", root: "VolumeAttachment | None") -> Attachment:
    return Attachment(
        volume=one.volume_id,
        device=one.device or "",
        boot_index=0 if one is root else None,
        delete_on_termination=bool(one.delete_on_termination),
        included=False,
    )


def _device_order(attachment: "VolumeAttachment") -> tuple[int, str]:
    device = attachment.device or ""
    return len(device), device


def _root_volume_check(server: "Server", bootable: int) -> tuple[Check, ...]:
    if bootable == 1:
        return ()
    reason = (
        f"{bootable} of its volumes are bootable, and Nova tells only administrators which one it "
        "is: the first by device was taken"
    )
    return (Check(f"boot volume of server {server.id}", verified=False, reason=reason),)


def _unknown_machine_check(server: "Server") -> Check:
    return Check(
        f"machine of server {server.id}",
        verified=False,
        reason=(
            f"its image {server.image.id} is gone, and with it the properties that shape the "
            "machine; Nova tells them since its API 2.98"
        ),
    )


def _group_check(server: "Server") -> Iterator[Check]:
    """Name the groups of a server; Nova tells them since its API 2.71."""
    if server.server_groups:
        groups = ", ".join(server.server_groups)
        yield Check(
            f"groups of server {server.id}",
            verified=False,
            reason=f"not in this backup: it is in server group {groups}",
        )


def _missing_data_checks(notes: ServerSpec) -> Iterator[Check]:
    """Name what a server has and its backup has not."""
    what = f"server {notes.id}"
    for attachment in notes.attachments:
        if not attachment.included:
            yield Check(
                f"volume {attachment.volume}",
                verified=False,
                reason=f"attached to {what} and not in this backup",
            )
    if notes.details["flavor"].get("ephemeral"):
        yield Check(
            f"ephemeral disk of {what}",
            verified=False,
            reason="not in this backup: Nova's images of a server leave it out",
        )
