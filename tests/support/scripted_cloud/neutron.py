"""Neutron's part, as far as it is asked: https://docs.openstack.org/api-ref/network/v2/."""

from typing import Any, Final

from tests.support.scripted_cloud import compute
from tests.support.scripted_cloud.api_call import ApiCall, Routes
from tests.support.scripted_cloud.state import FakeResource

_HIDDEN: Final = frozenset({"address_prefix", "preserve_on_delete"})

VERSIONS: Final = {
    "versions": [
        {"id": "v2.0", "status": "CURRENT", "links": [{"rel": "self", "href": "{url}/v2.0/"}]}
    ]
}
"""What it says of its versions, where ``{url}`` is its address."""


def _to_document(thing: FakeResource) -> dict[str, Any]:
    return {key: value for key, value in thing.shown.items() if key not in _HIDDEN}


def _networks(call: ApiCall) -> Any:
    return {"networks": [_to_document(each) for each in call.list_visible(call.state.networks)]}


def _network(call: ApiCall, network: str) -> Any:
    return {"network": _to_document(call.state.networks.get(network, call.visible_project))}


def _subnets(call: ApiCall) -> Any:
    return {"subnets": [_to_document(each) for each in call.list_visible(call.state.subnets)]}


def _subnet(call: ApiCall, subnet: str) -> Any:
    return {"subnet": _to_document(call.state.subnets.get(subnet, call.visible_project))}


def _groups(call: ApiCall) -> Any:
    return {
        "security_groups": [_to_document(each) for each in call.list_visible(call.state.groups)]
    }


def _group(call: ApiCall, group: str) -> Any:
    return {"security_group": _to_document(call.state.groups.get(group, call.visible_project))}


def _ports(call: ApiCall) -> Any:
    return {"ports": [_to_document(each) for each in call.list_visible(call.state.ports)]}


def _port(call: ApiCall, port: str) -> Any:
    return {"port": _to_document(call.state.ports.get(port, call.visible_project))}


def _new_port(call: ApiCall) -> Any:
    port = compute.new_port(call.state, call.project, call.read_body("port"))
    return 201, {"port": _to_document(port)}


def _change_port(call: ApiCall, port: str) -> Any:
    resource = call.state.ports.get(port, call.visible_project)
    resource.shown.update(call.read_body("port"))
    return {"port": _to_document(resource)}


def _delete_port(call: ApiCall, port: str) -> Any:
    call.state.ports.remove(call.state.ports.get(port, call.visible_project))
    return 204, None


def _quotas(_call: ApiCall, project: str) -> Any:
    del project
    plenty = {"limit": 500, "used": 0, "reserved": 0}
    return {"quota": dict.fromkeys(("network", "subnet", "port", "security_group"), plenty)}


ROUTES: Final[Routes] = (
    ("GET", "/networks", _networks),
    ("GET", "/networks/<network>", _network),
    ("GET", "/subnets", _subnets),
    ("GET", "/subnets/<subnet>", _subnet),
    ("GET", "/security-groups", _groups),
    ("GET", "/security-groups/<group>", _group),
    ("GET", "/ports", _ports),
    ("POST", "/ports", _new_port),
    ("GET", "/ports/<port>", _port),
    ("PUT", "/ports/<port>", _change_port),
    ("DELETE", "/ports/<port>", _delete_port),
    ("GET", "/quotas/<project>", _quotas),
    ("GET", "/quotas/<project>/details", _quotas),
)
