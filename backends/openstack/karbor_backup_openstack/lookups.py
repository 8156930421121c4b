"""What a restore needs of the cloud, found again by what the discovery wrote down."""

from typing import TYPE_CHECKING, Final

from karbor_backup_core import Json
from karbor_backup_openstack.errors import NotFound, translate_errors
from karbor_backup_openstack.services import CloudServices

if TYPE_CHECKING:
    from openstack.compute.v2.flavor import Flavor
    from openstack.network.v2.network import Network

_SIZES: Final = ("vcpus", "ram", "disk", "ephemeral")


def find_flavor(services: CloudServices, noted: Json) -> "Flavor | None":
    """Return a server's flavor: of the same id, else of the same name if it is not smaller.

    Args:
        services: the cloud.
        noted: the flavor in ``ServerSpec.details``.
    """
    compute = services.sdk.compute
    if "id" in noted:
        try:
            with translate_errors(f"Nova for flavor {noted['id']}"):
                return compute.get_flavor(noted["id"])
        except NotFound:
            pass
    with translate_errors(f"Nova for flavor {noted['name']!r}"):
        named = compute.find_flavor(noted["name"])
    if named is None or any((getattr(named, size) or 0) < noted.get(size, 0) for size in _SIZES):
        return None
    return named


def find_network(services: CloudServices, noted: Json) -> "Network | None":
    """Return an interface's network: of the same id, else the only one of the same name.

    Args:
        services: the cloud.
        noted: one of the networks in ``ServerSpec.details``.
    """
    network = services.sdk.network
    try:
        with translate_errors(f"Neutron for network {noted['network']}"):
            return network.get_network(noted["network"])
    except NotFound:
        pass
    name = noted.get("network_name")
    if not name:
        return None
    with translate_errors(f"Neutron for network {name!r}"):
        named = list(network.networks(name=name))
    return named[0] if len(named) == 1 else None


def list_volume_type_names(services: CloudServices) -> frozenset[str]:
    """Return the names of the types of volumes that the project may use."""
    with translate_errors("Cinder for its volume types"):
        return frozenset(known.name for known in services.sdk.block_storage.types())
