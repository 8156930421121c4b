"""Neutron's part, as far as it is asked: https://docs.openstack.org/api-ref/network/v2/."""

from typing import Any, Final

from sandbox.scripted_cloud import machines
from sandbox.scripted_cloud.calls import Call, Routes
from sandbox.scripted_cloud.world import Thing

_HIDDEN: Final = frozenset({"address_prefix", "preserve_on_delete"})

VERSIONS: Final = {
    "versions": [
        {"id": "v2.0", "status": "CURRENT", "links": [{"rel": "self", "href": "{url}/v2.0/"}]}
    ]
}
"""What it says of its versions, where ``{url}`` is its address."""


def _shown(thing: Thing) -> dict[str, Any]:
    return {key: value for key, value in thing.shown.items() if key not in _HIDDEN}


def _networks(call: Call) -> Any:
    return {"networks": [_shown(each) for each in call.listed(call.world.networks)]}


def _network(call: Call, network: str) -> Any:
    return {"network": _shown(call.world.networks.get(network, call.viewer))}


def _subnets(call: Call) -> Any:
    return {"subnets": [_shown(each) for each in call.listed(call.world.subnets)]}


def _subnet(call: Call, subnet: str) -> Any:
    return {"subnet": _shown(call.world.subnets.get(subnet, call.viewer))}


def _groups(call: Call) -> Any:
    return {"security_groups": [_shown(each) for each in call.listed(call.world.groups)]}


def _group(call: Call, group: str) -> Any:
    return {"security_group": _shown(call.world.groups.get(group, call.viewer))}


def _ports(call: Call) -> Any:
    return {"ports": [_shown(each) for each in call.listed(call.world.ports)]}


def _port(call: Call, port: str) -> Any:
    return {"port": _shown(call.world.ports.get(port, call.viewer))}


def _new_port(call: Call) -> Any:
    made = machines.new_port(call.world, call.project, call.body("port"))
    return 201, {"port": _shown(made)}


def _change_port(call: Call, port: str) -> Any:
    found = call.world.ports.get(port, call.viewer)
    found.shown.update(call.body("port"))
    return {"port": _shown(found)}


def _delete_port(call: Call, port: str) -> Any:
    call.world.ports.remove(call.world.ports.get(port, call.viewer))
    return 204, None


def _quotas(_call: Call, project: str) -> Any:
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
