"""What is registered in the cloud: where its services are, and what every project finds there."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from sandbox import keystone
from sandbox.accounts import CLOUDS, SERVICE
from sandbox.openstack.configuration import SERVICE_ROLE
from sandbox.ports import HOST
from sandbox.state import State

if TYPE_CHECKING:
    from openstack.connection import Connection

FLAVORS = {"tiny": (1, 64, 1), "small": (1, 128, 2)}
"""By name: processors, MiB of memory, GiB of disk."""

NETWORKS = {"netA": "10.9.0.0/24", "netB": "10.10.0.0/24"}
"""By name: the addresses of its subnet."""

VOLUME_TYPE = "second"
"""A type of volumes beside Cinder's default."""

UNSATISFIABLE_TYPE = "unsatisfiable"
"""A type of volumes that cannot be made."""


@attrs.frozen
class Ports:
    """Where the APIs listen on loopback."""

    glance: int
    cinder: int
    placement: int
    neutron: int
    nova: int


def register_services(state: State, ports: Ports) -> None:
    """Tell Keystone where the services are now, and give their account the role of a service."""
    services = {
        ("glance", "image"): f"{ports.glance}",
        ("cinder", "block-storage"): f"{ports.cinder}/v3",
        ("placement", "placement"): f"{ports.placement}",
        ("neutron", "network"): f"{ports.neutron}",
        ("nova", "compute"): f"{ports.nova}/v2.1",
    }
    identity = keystone.Identity(state.auth_url, state.accounts["admin"])
    identity.grant(state.accounts[SERVICE], SERVICE_ROLE)
    for (name, service_type), place in services.items():
        identity.remove_service(name)
        identity.add_service(name, service_type, f"http://{HOST}:{place}")


def connect(state: State, cloud: str) -> "Connection":
    """Return openstacksdk's connection to one of the clouds of `clouds.yaml`."""
    from openstack.connection import Connection

    return Connection(session=keystone.session(state.auth_url, state.accounts[cloud]))


def create_defaults(state: State) -> None:
    """Make the flavors and the volume type, and networks in the project of the first cloud."""
    admin = connect(state, "admin")
    for name, (processors, memory, disk) in FLAVORS.items():
        admin.compute.create_flavor(name=name, vcpus=processors, ram=memory, disk=disk)
    admin.block_storage.create_type(name=VOLUME_TYPE)
    admin.block_storage.create_type(
        name=UNSATISFIABLE_TYPE, extra_specs={"volume_backend_name": "nowhere"}
    )
    _create_networks(connect(state, CLOUDS[0]), NETWORKS)


def _create_networks(cloud: "Connection", networks: Mapping[str, str]) -> None:
    for name, addresses in networks.items():
        network = cloud.network.create_network(name=name)
        cloud.network.create_subnet(
            network_id=network.id,
            name=f"{name}-subnet",
            ip_version=4,
            cidr=addresses,
            enable_dhcp=False,
            gateway_ip=None,
        )
