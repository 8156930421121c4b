"""What Nova and Neutron do to servers, their ports and their volumes."""

import itertools
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from werkzeug.exceptions import BadRequest, Conflict, NotFound

from tests.support.scripted_cloud.block_storage import delete_volume
from tests.support.scripted_cloud.images import fill_image, new_image
from tests.support.scripted_cloud.state import ZONE, CloudState, FakeResource


def new_server(state: CloudState, project: str, asked: Mapping[str, Any]) -> FakeResource:
    """Begin to make a server of an image or of volumes.

    Raises:
        BadRequest: as Nova refuses it.
    """
    try:
        flavor = state.flavors.get(asked["flavorRef"])
        image = state.images.get(asked["imageRef"], project) if asked.get("imageRef") else None
        mapped = list(_map_volumes(state, project, asked))
        ports = [_port(state, project, wanted, asked) for wanted in _networks(state, asked)]
    except NotFound as error:
        raise BadRequest(error.description) from None
    if image is None and not mapped:
        raise BadRequest("Block Device Mapping is Invalid: no boot device.")
    server = state.servers.add(
        project,
        {
            **_initial_document(state, project, asked),
            "image": {"id": image.id} if image else "",
            "flavor": _embed_flavor(flavor),
        },
        content=image.content if image else b"",
    )
    for port in ports:
        port.shown.update(device_id=server.id, device_owner=f"compute:{ZONE}", status="ACTIVE")
    for volume, mapping in mapped:
        attach(state, server, volume, mapping)
    state.schedule(lambda: _is_up(server))
    return server


def new_server_image(
    state: CloudState, server: FakeResource, asked: Mapping[str, Any]
) -> FakeResource:
    """Begin to make an image of the disk of a server that was made of an image.

    Raises:
        Conflict: another task of the server goes on.
    """
    if server.shown["OS-EXT-STS:task_state"]:
        raise Conflict(f"Cannot 'createImage' instance {server.id} while it is in a task.")
    disk = {"name": asked["name"], "container_format": "bare", "disk_format": "raw"}
    metadata = dict(asked.get("metadata") or {})
    image = new_image(state, server.project, {**disk, **metadata})
    server.shown["OS-EXT-STS:task_state"] = "image_snapshot"
    content = server.content

    def end() -> None:
        server.shown["OS-EXT-STS:task_state"] = None
        if image.id in state.images:
            fill_image(image, content)

    with state.next_work() as planned:
        if planned.fails:
            state.schedule(lambda: state.images.remove(image))
        state.schedule(end)
    return image


def _initial_document(state: CloudState, project: str, asked: Mapping[str, Any]) -> dict[str, Any]:
    groups = asked.get("security_groups") or [{"name": "default"}]
    return {
        "name": asked["name"],
        "description": asked.get("description"),
        "status": "BUILD",
        "tenant_id": project,
        "created": state.timestamp(),
        "updated": state.timestamp(),
        "metadata": dict(asked.get("metadata") or {}),
        "tags": list(asked.get("tags") or ()),
        "key_name": asked.get("key_name"),
        "config_drive": "True" if asked.get("config_drive") else "",
        "security_groups": [{"name": group["name"]} for group in groups],
        "locked": False,
        "os-extended-volumes:volumes_attached": [],
        "OS-EXT-AZ:availability_zone": asked.get("availability_zone") or ZONE,
        "OS-EXT-STS:task_state": "spawning",
        "OS-EXT-STS:vm_state": "building",
        "OS-EXT-STS:power_state": 0,
    }


def _is_up(server: FakeResource) -> None:
    server.shown.update(
        {
            "status": "ACTIVE",
            "OS-EXT-STS:task_state": None,
            "OS-EXT-STS:vm_state": "active",
            "OS-EXT-STS:power_state": 1,
        }
    )


def _embed_flavor(flavor: FakeResource) -> dict[str, Any]:
    """Return what a server's document says of its flavor since Nova's 2.47."""
    shown = flavor.shown
    return {
        "original_name": shown["name"],
        "vcpus": shown["vcpus"],
        "ram": shown["ram"],
        "disk": shown["disk"],
        "ephemeral": 0,
        "swap": 0,
        "extra_specs": {},
    }


def _map_volumes(
    state: CloudState, project: str, asked: Mapping[str, Any]
) -> Iterable[tuple[FakeResource, Mapping[str, Any]]]:
    """Return the volumes that a server is to have, with how."""
    for mapping in asked.get("block_device_mapping_v2") or ():
        if mapping["source_type"] != "volume":
            continue
        volume = state.volumes.get(mapping["uuid"], project)
        if volume.shown["status"] != "available":
            raise BadRequest(f"Block Device Mapping is Invalid: volume {volume.id} is in use.")
        yield volume, mapping


def _networks(state: CloudState, asked: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    wanted = asked.get("networks", "auto")
    if wanted == "auto":
        return [{"uuid": network.id} for network in state.networks][:1]
    return [] if wanted == "none" else list(wanted)


def _port(
    state: CloudState, project: str, wanted: Mapping[str, Any], asked: Mapping[str, Any]
) -> FakeResource:
    if identifier := wanted.get("port"):
        return state.ports.get(identifier, project)
    names = {group["name"] for group in asked.get("security_groups") or ()}
    groups = [group.id for group in state.groups if {group.id, group.name} & names]
    fixed = [{"ip_address": wanted["fixed_ip"]}] if wanted.get("fixed_ip") else []
    document = {"network_id": wanted["uuid"], "fixed_ips": fixed}
    port = new_port(state, project, {**document, "security_groups": groups or None})
    port.shown["preserve_on_delete"] = False
    return port


def new_port(state: CloudState, project: str, asked: Mapping[str, Any]) -> FakeResource:
    """Make a port.

    Raises:
        Conflict: a fixed address is another port's.
        NotFound: there is no such network.
    """
    network = state.networks.get(asked["network_id"], project)
    taken = {ip["ip_address"] for port in state.ports for ip in port.shown["fixed_ips"]}
    fixed = [ip["ip_address"] for ip in asked.get("fixed_ips") or () if "ip_address" in ip]
    for address in fixed:
        if address in taken:
            raise Conflict(f"IP address {address} already allocated in subnet")
    prefix = network.shown["address_prefix"]
    free = (f"{prefix}.{number}" for number in itertools.count(10))
    addresses = fixed or [next(address for address in free if address not in taken)]
    (subnet,) = network.shown["subnets"]
    mac = ":".join(uuid.uuid4().hex[at : at + 2] for at in range(0, 6, 2))
    groups = asked.get("security_groups")
    return state.ports.add(
        project,
        {
            "name": asked.get("name", ""),
            "description": asked.get("description", ""),
            "network_id": network.id,
            "project_id": project,
            "tenant_id": project,
            "admin_state_up": True,
            "status": "DOWN",
            "device_id": asked.get("device_id", ""),
            "device_owner": asked.get("device_owner", ""),
            "mac_address": asked.get("mac_address") or f"fa:16:3e:{mac}",
            "fixed_ips": [{"subnet_id": subnet, "ip_address": each} for each in addresses],
            "security_groups": _default_group(state) if groups is None else list(groups),
            "allowed_address_pairs": [],
            "binding:vnic_type": "normal",
            "tags": [],
            "preserve_on_delete": True,
        },
    )


def _default_group(state: CloudState) -> list[str]:
    return [group.id for group in state.groups.find_by_name("default")]


def list_ports(state: CloudState, server: FakeResource) -> list[FakeResource]:
    """Return a server's ports."""
    return [port for port in state.ports if port.shown["device_id"] == server.id]


def list_addresses(state: CloudState, server: FakeResource) -> dict[str, list[dict[str, Any]]]:
    """Return a server's addresses by the names of their networks, as Nova shows them."""
    addresses: dict[str, list[dict[str, Any]]] = {}
    for port in list_ports(state, server):
        name = state.networks.get(port.shown["network_id"]).name
        addresses.setdefault(name, []).extend(
            {
                "version": 4,
                "addr": fixed["ip_address"],
                "OS-EXT-IPS:type": "fixed",
                "OS-EXT-IPS-MAC:mac_addr": port.shown["mac_address"],
            }
            for fixed in port.shown["fixed_ips"]
        )
    return addresses


def attach(
    state: CloudState, server: FakeResource, volume: FakeResource, wanted: Mapping[str, Any]
) -> dict[str, Any]:
    """Attach a volume to a server; return what Nova shows of it.

    Raises:
        BadRequest: the volume is in use.
    """
    if volume.shown["status"] != "available":
        status = volume.shown["status"]
        raise BadRequest(f"Invalid volume: volume {volume.id} status must be available: {status}")
    attachments = server.shown["os-extended-volumes:volumes_attached"]
    letters = "abcdefghijklmnopqrstuvwxyz"[0 if not server.shown["image"] else 1 :]
    device = wanted.get("device_name") or wanted.get("device")
    device = device or f"/dev/vd{letters[len(attachments)]}"
    goes_too = bool(wanted.get("delete_on_termination"))
    attachments.append({"id": volume.id, "delete_on_termination": goes_too})
    attachment = str(uuid.uuid4())
    volume.shown["attachments"] = [
        {
            "id": volume.id,
            "attachment_id": attachment,
            "volume_id": volume.id,
            "server_id": server.id,
            "device": device,
        }
    ]
    volume.shown["status"] = "reserved"
    state.schedule(lambda: volume.shown.update(status="in-use"))
    return attachment_document(state, server, attachments[-1])


def attachment_document(
    state: CloudState, server: FakeResource, attached: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what Nova shows of a volume of a server."""
    (of_volume,) = state.volumes.get(attached["id"]).shown["attachments"]
    return {
        "id": attached["id"],
        "volumeId": attached["id"],
        "serverId": server.id,
        "device": of_volume["device"],
        "attachment_id": of_volume["attachment_id"],
        "bdm_uuid": of_volume["attachment_id"],
        "delete_on_termination": attached["delete_on_termination"],
        "tag": None,
    }


def detach(state: CloudState, server: FakeResource, volume: FakeResource) -> None:
    """Begin to detach a volume from a server."""
    attachments = server.shown["os-extended-volumes:volumes_attached"]
    attachments[:] = [each for each in attachments if each["id"] != volume.id]
    volume.shown["status"] = "detaching"
    state.schedule(lambda: volume.shown.update(status="available", attachments=[]))


def delete_server(state: CloudState, server: FakeResource) -> None:
    """Begin to delete a server, with the ports and volumes that go with it."""
    server.shown["OS-EXT-STS:task_state"] = "deleting"
    state.schedule(lambda: remove_server(state, server))


def remove_server(state: CloudState, server: FakeResource) -> None:
    """Remove a server at once, with the ports and volumes that go with it."""
    for port in list_ports(state, server):
        if port.shown["preserve_on_delete"]:
            port.shown.update(device_id="", device_owner="", status="DOWN")
        else:
            state.ports.remove(port)
    for attached in server.shown["os-extended-volumes:volumes_attached"]:
        volume = state.volumes.get(attached["id"])
        volume.shown.update(status="available", attachments=[])
        if attached["delete_on_termination"]:
            delete_volume(state, volume)
    state.servers.remove(server)
