"""A server's place in its networks: its ports, in the order of its interfaces."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from karbor_backup_freezer.cloud.faults import NotFound, asking
from karbor_backup_freezer.cloud.services import CloudServices
from karbor_backup_freezer.survey.notes import compact

if TYPE_CHECKING:
    from openstack.compute.v2.server import Server
    from openstack.network.v2.port import Port


class Networks:
    """The ports of servers. Names of networks are asked for once.

    Args:
        services: the cloud.
    """

    def __init__(self, services: CloudServices) -> None:
        self._services = services
        self._names: dict[str, str] = {}

    def of(self, server: "Server") -> list[dict[str, Any]]:
        """Write down a server's interfaces. Errors are those of ``faults.asking``."""
        with asking(f"Neutron for the ports of server {server.id}"):
            ports = list(self._services.sdk.network.ports(device_id=server.id))
        return [self._written(port) for port in sorted(ports, key=_order(server))]

    def _written(self, port: "Port") -> dict[str, Any]:
        return compact(
            {
                "network": port.network_id,
                "network_name": self._name(port.network_id),
                "port": port.id,
                "mac": port.mac_address,
                "fixed_ips": port.fixed_ips,
                "security_groups": port.security_group_ids,
            }
        )

    def _name(self, network_id: str) -> str:
        if network_id not in self._names:
            try:
                with asking(f"Neutron for network {network_id}"):
                    network = self._services.sdk.network.get_network(network_id)
                self._names[network_id] = network.name or ""
            except NotFound:
                # A network that was shared with the project once.
                self._names[network_id] = ""
        return self._names[network_id]


def _order(server: "Server") -> Callable[["Port"], tuple[int, str]]:
    """Answer a key that sorts ports as the server has them.

    Neutron lists them in no order; Nova lists addresses in the order of the interfaces, within
    each network. Ports without an address come last.
    """
    addresses = [address for several in (server.addresses or {}).values() for address in several]
    macs = dict.fromkeys(address.get("OS-EXT-IPS-MAC:mac_addr") for address in addresses)
    ranks = {mac: rank for rank, mac in enumerate(macs)}
    return lambda port: (ranks.get(port.mac_address, len(ranks)), port.id)
