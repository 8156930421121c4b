"""Nova's part, as far as it is asked: https://docs.openstack.org/api-ref/compute/."""

from typing import Any, Final

from werkzeug.exceptions import BadRequest, NotFound

from tests.support.scripted_cloud import compute
from tests.support.scripted_cloud.api_call import ApiCall, Routes
from tests.support.scripted_cloud.state import ZONE, FakeResource

VERSIONS: Final = {
    "version": {
        "id": "v2.1",
        "status": "CURRENT",
        "version": "2.96",
        "min_version": "2.1",
        "updated": "2013-07-23T11:33:21Z",
        "links": [{"rel": "self", "href": "{url}/v2.1/"}],
    }
}
"""What it says of its versions, where ``{url}`` is its address."""


def _to_document(call: ApiCall, server: FakeResource) -> dict[str, Any]:
    return {**server.shown, "addresses": compute.list_addresses(call.state, server)}


def _servers(call: ApiCall) -> Any:
    return {"servers": [_to_document(call, each) for each in call.list_visible(call.state.servers)]}


def _server(call: ApiCall, server: str) -> Any:
    return {"server": _to_document(call, call.state.servers.get(server, call.visible_project))}


def _new_server(call: ApiCall) -> Any:
    server = compute.new_server(call.state, call.project, call.read_body("server"))
    groups = server.shown["security_groups"]
    answer = {"id": server.id, "security_groups": groups, "adminPass": "none"}
    return 202, {"server": answer}


def _change_server(call: ApiCall, server: str) -> Any:
    resource = call.state.servers.get(server, call.visible_project)
    asked = call.read_body("server")
    resource.shown.update({k: asked[k] for k in ("name", "description") if k in asked})
    return {"server": _to_document(call, resource)}


def _delete_server(call: ApiCall, server: str) -> Any:
    compute.delete_server(call.state, call.state.servers.get(server, call.visible_project))
    return 204, None


def _metadata(call: ApiCall, server: str) -> Any:
    return {"metadata": call.state.servers.get(server, call.visible_project).shown["metadata"]}


def _change_metadata(call: ApiCall, server: str) -> Any:
    kept = call.state.servers.get(server, call.visible_project).shown["metadata"]
    if call.request.method == "PUT":
        kept.clear()
    kept.update(call.read_body("metadata"))
    return {"metadata": kept}


def _delete_metadata(call: ApiCall, server: str, key: str) -> Any:
    call.state.servers.get(server, call.visible_project).shown["metadata"].pop(key, None)
    return 204, None


def _change_tags(call: ApiCall, server: str) -> Any:
    resource = call.state.servers.get(server, call.visible_project)
    resource.shown["tags"] = call.request.get_json(force=True)["tags"]
    return {"tags": resource.shown["tags"]}


def _add_tag(call: ApiCall, server: str, tag: str) -> Any:
    tags = call.state.servers.get(server, call.visible_project).shown["tags"]
    tags[:] = [*tags, *({tag} - set(tags))]
    return 201, None


def _run_server_action(call: ApiCall, server: str) -> Any:
    resource = call.state.servers.get(server, call.visible_project)
    groups = resource.shown["security_groups"]
    match call.read_action():
        case "addSecurityGroup", asked:
            groups[:] = [*groups, {"name": _group(call, asked["name"]).name}]
        case "removeSecurityGroup", asked:
            name = _group(call, asked["name"]).name
            groups[:] = [group for group in groups if group["name"] != name]
        case "createImage", asked:
            return 202, {"image_id": compute.new_server_image(call.state, resource, asked).id}
        case "os-stop", _:
            resource.shown.update({"status": "SHUTOFF", "OS-EXT-STS:power_state": 4})
        case "os-start", _:
            resource.shown.update({"status": "ACTIVE", "OS-EXT-STS:power_state": 1})
        case name, _:
            raise BadRequest(f"There is no such action: {name}")
    return 202, None


def _group(call: ApiCall, wanted: str) -> FakeResource:
    for group in call.state.groups.visible_to(call.visible_project):
        if wanted in (group.id, group.name):
            return group
    raise NotFound(f"Security group {wanted} not found.")


def _attachments(call: ApiCall, server: str) -> Any:
    resource = call.state.servers.get(server, call.visible_project)
    attached = resource.shown["os-extended-volumes:volumes_attached"]
    documents = [compute.attachment_document(call.state, resource, each) for each in attached]
    return {"volumeAttachments": documents}


def _attach(call: ApiCall, server: str) -> Any:
    resource = call.state.servers.get(server, call.visible_project)
    asked = call.read_body("volumeAttachment")
    volume = call.state.volumes.get(asked["volumeId"], call.visible_project)
    return {"volumeAttachment": compute.attach(call.state, resource, volume, asked)}


def _change_attachment(call: ApiCall, server: str, volume: str) -> Any:
    resource = call.state.servers.get(server, call.visible_project)
    for attached in resource.shown["os-extended-volumes:volumes_attached"]:
        if attached["id"] == volume:
            goes_too = call.read_body("volumeAttachment")["delete_on_termination"]
            attached["delete_on_termination"] = goes_too
            return 202, None
    raise NotFound(f"Instance {server} is not attached to volume {volume}.")


def _detach(call: ApiCall, server: str, volume: str) -> Any:
    resource = call.state.servers.get(server, call.visible_project)
    compute.detach(call.state, resource, call.state.volumes.get(volume, call.visible_project))
    return 202, None


def _interfaces(call: ApiCall, server: str) -> Any:
    ports = compute.list_ports(call.state, call.state.servers.get(server, call.visible_project))
    documents = [
        {
            "port_id": port.id,
            "net_id": port.shown["network_id"],
            "mac_addr": port.shown["mac_address"],
            "port_state": port.shown["status"],
            "fixed_ips": port.shown["fixed_ips"],
            "tag": None,
        }
        for port in ports
    ]
    return {"interfaceAttachments": documents}


def _groups_of(call: ApiCall, server: str) -> Any:
    named = {
        group["name"]
        for group in call.state.servers.get(server, call.visible_project).shown["security_groups"]
    }
    groups = [group.shown for group in call.state.groups if group.name in named]
    return {"security_groups": groups}


def _flavors(call: ApiCall) -> Any:
    return {"flavors": [each.shown for each in call.list_visible(call.state.flavors)]}


def _flavor(call: ApiCall, flavor: str) -> Any:
    return {"flavor": call.state.flavors.get(flavor, call.visible_project).shown}


def _extra_specs(call: ApiCall, flavor: str) -> Any:
    return {
        "extra_specs": call.state.flavors.get(flavor, call.visible_project).shown["extra_specs"]
    }


def _keypairs(call: ApiCall) -> Any:
    return {
        "keypairs": [{"keypair": each.shown} for each in call.list_visible(call.state.keypairs)]
    }


def _keypair(call: ApiCall, keypair: str) -> Any:
    return {"keypair": call.state.keypairs.get(keypair, call.visible_project).shown}


def _zones(_call: ApiCall) -> Any:
    zone = {"zoneName": ZONE, "zoneState": {"available": True}, "hosts": None}
    return {"availabilityZoneInfo": [zone]}


def _limits(call: ApiCall) -> Any:
    servers = call.state.servers.visible_to(call.project)
    absolute = {
        "maxTotalCores": 1000,
        "maxTotalInstances": 1000,
        "maxTotalRAMSize": 1000000,
        "totalCoresUsed": sum(each.shown["flavor"]["vcpus"] for each in servers),
        "totalInstancesUsed": len(servers),
        "totalRAMUsed": sum(each.shown["flavor"]["ram"] for each in servers),
    }
    return {"limits": {"rate": [], "absolute": absolute}}


ROUTES: Final[Routes] = (
    ("GET", "/servers", _servers),
    ("GET", "/servers/detail", _servers),
    ("POST", "/servers", _new_server),
    ("GET", "/servers/<server>", _server),
    ("PUT", "/servers/<server>", _change_server),
    ("DELETE", "/servers/<server>", _delete_server),
    ("POST", "/servers/<server>/action", _run_server_action),
    ("GET", "/servers/<server>/metadata", _metadata),
    ("POST", "/servers/<server>/metadata", _change_metadata),
    ("PUT", "/servers/<server>/metadata", _change_metadata),
    ("DELETE", "/servers/<server>/metadata/<key>", _delete_metadata),
    ("PUT", "/servers/<server>/tags", _change_tags),
    ("PUT", "/servers/<server>/tags/<tag>", _add_tag),
    ("GET", "/servers/<server>/os-volume_attachments", _attachments),
    ("POST", "/servers/<server>/os-volume_attachments", _attach),
    ("PUT", "/servers/<server>/os-volume_attachments/<volume>", _change_attachment),
    ("DELETE", "/servers/<server>/os-volume_attachments/<volume>", _detach),
    ("GET", "/servers/<server>/os-interface", _interfaces),
    ("GET", "/servers/<server>/os-security-groups", _groups_of),
    ("GET", "/flavors", _flavors),
    ("GET", "/flavors/detail", _flavors),
    ("GET", "/flavors/<flavor>", _flavor),
    ("GET", "/flavors/<flavor>/os-extra_specs", _extra_specs),
    ("GET", "/os-keypairs", _keypairs),
    ("GET", "/os-keypairs/<keypair>", _keypair),
    ("GET", "/os-availability-zone", _zones),
    ("GET", "/limits", _limits),
)
