"""Servers: made by Nova from the restored volumes, or from an image that the backend has of them.

Key pair, zone, addresses, security groups and metadata can mostly not be given later, so that
every server is made here with all of them, in one way.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import attrs

from karbor_backup_core import BackendError, Resource, Transient
from karbor_backup_openstack.errors import NotFound, translate_errors
from karbor_backup_openstack.lookups import find_flavor
from karbor_backup_openstack.metadata import is_marked, operation_metadata, user_metadata
from karbor_backup_openstack.resource_types import SERVER
from karbor_backup_openstack.resources import ResourceKind, is_busy
from karbor_backup_openstack.restore import networks
from karbor_backup_openstack.restore.context import RestoreContext
from karbor_backup_openstack.restore.creation import keep_if_alone
from karbor_backup_openstack.restore.names import restored_name
from karbor_backup_openstack.restore.state import PENDING, MemberStatus
from karbor_backup_openstack.server_spec import ServerSpec


@attrs.frozen
class BootImage:
    """The image of which a server is made.

    Attributes:
        image: it, as openstacksdk gives it; None while there is none yet, or if there will be none.
        failure: why there will be none, in one line.
    """

    image: Any | None = None
    failure: str = ""


FindImage: TypeAlias = Callable[[ServerSpec], BootImage]
"""Returns the image of which a server that does not boot from a volume is made."""


def restore_server(
    context: RestoreContext,
    spec: ServerSpec,
    volumes: Mapping[str, MemberStatus],
    find_image: FindImage,
) -> MemberStatus:
    """Bring one server of the backup nearer to what its source was.

    Args:
        context: what the step has before it.
        spec: the server, as it was.
        volumes: how the backup's volumes stand, by their sources' ids.
        find_image: finds the image of a server that does not boot from a volume.
    """
    included = [attachment for attachment in spec.attachments if attachment.included]
    statuses = {attachment.volume: volumes[attachment.volume] for attachment in included}
    for source, status in statuses.items():
        if status.failure:
            return MemberStatus(failure=f"its volume {source} was not restored: {status.failure}")
    if any(status.is_pending for status in statuses.values()):
        return PENDING
    server = _find_server(context, spec)
    if server is None and spec.id in context.state.servers:
        return MemberStatus(failure=f"server {context.state.servers[spec.id]}, made of it, is gone")
    if server is None:
        return _create_server(context, spec, statuses, find_image)
    context.state.servers[spec.id] = server.id
    if is_busy(ResourceKind.SERVER, server):
        context.state.wait_for(ResourceKind.SERVER, server.id)
        return PENDING
    if server.status != "ACTIVE":
        return _handle_server_error(context, spec, server)
    networks.update_ports(context, spec, server)
    _set_delete_on_termination(context, spec, server)
    _note_missing_volumes(context, spec, server)
    return MemberStatus(restored=Resource(SERVER, server.id, server.name))


def _find_server(context: RestoreContext, spec: ServerSpec) -> Any | None:
    noted = context.state.servers.get(spec.id)
    if noted is not None:
        server = context.resources.get(ResourceKind.SERVER, noted)
        own = server is not None and is_marked(server.metadata, context.operation, spec.id)
        return server if own else None
    marked = (s for s in context.servers if is_marked(s.metadata, context.operation, spec.id))
    return next(marked, None)


def _create_server(
    context: RestoreContext,
    spec: ServerSpec,
    volumes: Mapping[str, MemberStatus],
    find_image: FindImage,
) -> MemberStatus:
    image = None
    if not spec.boots_from_volume:
        found = find_image(spec)
        if found.failure:
            return MemberStatus(failure=found.failure)
        if found.image is None:
            return PENDING
        image = found.image
    sdk: Any = context.services.sdk
    try:
        body = _server_request(context, spec, image, volumes)
        with translate_errors(f"Nova for a new server like {spec.id}"):
            server = sdk.compute.create_server(**body)
    except Transient:
        raise
    except (BackendError, NotFound) as error:
        if networks.is_address_conflict(spec, str(error)) and networks.drop_addresses(
            context, spec
        ):
            return _create_server(context, spec, volumes, find_image)
        return MemberStatus(failure=str(error))
    keep_if_alone(context, ResourceKind.SERVER, server, spec.id)
    context.state.servers[spec.id] = server.id
    context.state.wait_for(ResourceKind.SERVER, server.id)
    return PENDING


def _server_request(
    context: RestoreContext,
    spec: ServerSpec,
    image: Any | None,
    volumes: Mapping[str, MemberStatus],
) -> dict[str, Any]:
    details = spec.details
    wanted = networks.find_interfaces(context, spec)
    source = Resource(SERVER, spec.id, spec.name)
    body = {
        "name": restored_name(context.operation, source) or spec.id,
        "flavor_id": _flavor_id(context, spec),
        "image_id": image.id if image is not None else None,
        "networks": networks.requested_networks(context, spec, wanted),
        "security_groups": networks.initial_security_groups(wanted),
        "block_device_mapping": _block_devices(spec, image, volumes),
        "metadata": {
            **user_metadata(details.get("metadata")),
            **operation_metadata(context.operation, spec.id),
        },
        "description": details.get("description"),
        "key_name": _key_name(context, spec),
        "availability_zone": details.get("availability_zone"),
        "config_drive": details.get("config_drive"),
        "tags": details.get("tags"),
    }
    return {key: value for key, value in body.items() if value}


def _flavor_id(context: RestoreContext, spec: ServerSpec) -> str:
    flavor = find_flavor(context.services, spec.details["flavor"])
    if flavor is None:
        raise BackendError(f"its flavor {spec.details['flavor']['name']!r} does not exist")
    return str(flavor.id)


def _key_name(context: RestoreContext, spec: ServerSpec) -> str | None:
    """Return the key pair's name, None where the user who restores has none of that name."""
    name: str | None = spec.details.get("key_name")
    if not name:
        return None
    sdk: Any = context.services.sdk
    with translate_errors(f"Nova for key pair {name}"):
        found = sdk.compute.find_keypair(name, ignore_missing=True)
    if found is None:
        context.state.doubts[f"key pair of server {spec.id}"] = (
            f"the user who restores it has no key pair {name!r}"
        )
    return name if found is not None else None


def _block_devices(
    spec: ServerSpec, image: Any | None, volumes: Mapping[str, MemberStatus]
) -> list[dict[str, Any]]:
    """Return what the server is to have as disks, in the order of the source's."""
    devices: list[dict[str, Any]] = []
    included = [attachment for attachment in spec.attachments if attachment.included]
    if image is not None and included:
        devices.append(
            {
                "boot_index": 0,
                "source_type": "image",
                "destination_type": "local",
                "uuid": image.id,
                "delete_on_termination": True,
            }
        )
    for attachment in included:
        restored = volumes[attachment.volume].restored
        device: dict[str, Any] = {
            "boot_index": attachment.boot_index,
            "source_type": "volume",
            "destination_type": "volume",
            "uuid": restored.id if restored else "",
            "delete_on_termination": False,
        }
        if attachment.device:
            device["device_name"] = attachment.device
        devices.append(device)
    return devices


def _handle_server_error(context: RestoreContext, spec: ServerSpec, server: Any) -> MemberStatus:
    """Return for a server that Nova could not start.

    That one of its addresses is taken by a port that these credentials may not see is found out by
    Nova only then, and not told; so once it is tried without them.
    """
    if networks.drop_addresses(context, spec):
        removal = context.resources.remove_resources(ResourceKind.SERVER, [server])
        if removal.pending:
            del context.state.servers[spec.id]
            context.state.wait_for(ResourceKind.SERVER, server.id, gone=True)
            return PENDING
    fault = (server.fault or {}).get("message", "no reason given")
    return MemberStatus(failure=f"Nova put the new server {server.id} in {server.status}: {fault}")


def _set_delete_on_termination(context: RestoreContext, spec: ServerSpec, server: Any) -> None:
    """Have Nova remove with the server the volumes that it removed with the source.

    Not before it is whole: removing a broken server would take the restored data along.
    """
    present = {one.id: one.delete_on_termination for one in server.attached_volumes or ()}
    compute: Any = context.services.sdk.compute
    for attachment in spec.attachments:
        volume = context.state.volumes.get(attachment.volume, "")
        if not attachment.delete_on_termination or present.get(volume) is not False:
            continue
        try:
            with translate_errors(f"Nova to remove volume {volume} with server {server.id}"):
                compute.update_volume_attachment(
                    server.id, volume, volume_id=volume, delete_on_termination=True
                )
        except Transient:
            raise
        except (BackendError, NotFound) as error:
            context.state.doubts[f"removal of volume {volume} with its server"] = str(error)


def _note_missing_volumes(context: RestoreContext, spec: ServerSpec, server: Any) -> None:
    """Note which volumes the server had that the backup does not hold."""
    missing = [attachment.volume for attachment in spec.attachments if not attachment.included]
    if missing:
        context.state.doubts[f"volumes of server {server.id}"] = (
            f"its source had volumes that this backup does not hold: {', '.join(missing)}"
        )
