"""What every scripted cloud has: types, flavors, networks, and an image to boot."""

from typing import Final

from tests.support.scripted_cloud.images import new_image
from tests.support.scripted_cloud.state import SHARED, CloudState

FLAVOR: Final = "tiny"
NETWORK: Final = "netA"
IMAGE: Final = "guest"
VOLUME_TYPES: Final = ("standard", "fast")
"""The first one is the default."""


def create_defaults(state: CloudState) -> None:
    """Put in what every cloud has."""
    for name in VOLUME_TYPES:
        state.types.add(
            SHARED, {"name": name, "is_public": True, "extra_specs": {}, "encryption": {}}
        )
    state.flavors.add(
        SHARED,
        {
            "name": FLAVOR,
            "vcpus": 1,
            "ram": 64,
            "disk": 1,
            "swap": 0,
            "OS-FLV-EXT-DATA:ephemeral": 0,
            "OS-FLV-DISABLED:disabled": False,
            "os-flavor-access:is_public": True,
            "rxtx_factor": 1.0,
            "description": None,
            "extra_specs": {},
        },
    )
    _create_network(state)
    state.groups.add(SHARED, {"name": "default", "description": "", "security_group_rules": []})
    disk = {"name": IMAGE, "container_format": "bare", "disk_format": "raw"}
    image = new_image(state, SHARED, {**disk, "visibility": "public"}, b"boot sector")
    image.shown["owner"] = "operators"


def _create_network(state: CloudState) -> None:
    prefix = "10.9.0"
    network = state.networks.add(
        SHARED,
        {
            "name": NETWORK,
            "status": "ACTIVE",
            "admin_state_up": True,
            "shared": True,
            "router:external": False,
            "mtu": 1500,
            "description": "",
            "tags": [],
            "address_prefix": prefix,
        },
    )
    subnet = state.subnets.add(
        SHARED,
        {
            "name": f"{NETWORK}-subnet",
            "network_id": network.id,
            "ip_version": 4,
            "cidr": f"{prefix}.0/24",
            "gateway_ip": f"{prefix}.1",
            "allocation_pools": [{"start": f"{prefix}.2", "end": f"{prefix}.254"}],
            "enable_dhcp": False,
        },
    )
    network.shown["subnets"] = [subnet.id]
