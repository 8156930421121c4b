"""A server's place in its networks: its ports, in the order of its interfaces."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from karbor_backup_core import Check
from karbor_backup_openstack.errors import NotFound, translate_errors
from karbor_backup_openstack.metadata import drop_empty
from karbor_backup_openstack.services import CloudServices

if TYPE_CHECKING:
    from openstack.compute.v2.server import Server
    from openstack.network.v2.port import Port

_UNRESTORED_FEATURES: Final[Mapping[str, Callable[[Any], bool]]] = {
    # openstacksdk takes a value that Neutron does not give for off; what is off has no groups.
    "port security that is off": lambda port: (
        not port.is_port_security_enabled and not port.security_group_ids
    ),
    "administrative state, down": lambda port: port.is_admin_state_up is False,
    "binding": lambda port: (
        bool(port.binding_profile) or port.binding_vnic_type not in (None, "", "normal")
    ),
    "QoS policy": lambda port: bool(port.qos_policy_id),
    "DHCP options": lambda port: bool(port.extra_dhcp_opts),
    "trunk": lambda port: bool(port.trunk_details),
    "DNS domain": lambda port: bool(port.dns_domain),
    "description": lambda port: bool(port.description),
}
"""What a port may have that a restore does not bring back."""


class NetworkDiscovery:
    """The ports of servers. Names of networks are asked for once.

    Args:
        services: the cloud.
    """

    def __init__(self, services: CloudServices) -> None:
        self._services = services
        self._names: dict[str, str] = {}
        self._ports: dict[str, list[Port]] = {}
        self._addresses: dict[str, list[str]] | None = None

    def describe_interfaces(self, server: "Server") -> list[dict[str, Any]]:
        """Write down a server's interfaces. Errors are those of ``errors.translate_errors``."""
        ports = sorted(self._list_ports(server), key=_port_order(server))
        return [self._describe_port(port) for port in ports]

    def _describe_port(self, port: "Port") -> dict[str, Any]:
        return drop_empty(
            {
                "network": port.network_id,
                "network_name": self._network_name(port.network_id),
                "port": port.id,
                "mac": port.mac_address,
                "fixed_ips": port.fixed_ips,
                "security_groups": port.security_group_ids,
                "allowed_address_pairs": port.allowed_address_pairs,
            }
        )

    def unrestored_checks(self, server: "Server") -> Iterator[Check]:
        """Name what a server's ports have and its backup has not.

        Errors are those of ``errors.translate_errors``.
        """
        for port in self._list_ports(server):
            lost = [word for word, is_there in _UNRESTORED_FEATURES.items() if is_there(port)]
            lost += [
                f"floating address {address}"
                for address in self._floating_addresses().get(port.id, ())
            ]
            if lost:
                yield Check(
                    f"port {port.id} of server {server.id}",
                    verified=False,
                    reason=f"not in this backup: its {', '.join(lost)}",
                )

    def _list_ports(self, server: "Server") -> list["Port"]:
        if server.id not in self._ports:
            with translate_errors(f"Neutron for the ports of server {server.id}"):
                self._ports[server.id] = list(self._services.sdk.network.ports(device_id=server.id))
        return self._ports[server.id]

    def _floating_addresses(self) -> Mapping[str, Sequence[str]]:
        """Return the project's floating addresses, by port; a cloud without routers has none."""
        if self._addresses is None:
            self._addresses = {}
            try:
                with translate_errors("Neutron for the floating addresses of the project"):
                    for one in self._services.sdk.network.ips():
                        address = one.floating_ip_address
                        self._addresses.setdefault(one.port_id or "", []).append(address)
            except NotFound:
                pass
        return self._addresses

    def _network_name(self, network_id: str) -> str:
        if network_id not in self._names:
            try:
                with translate_errors(f"Neutron for network {network_id}"):
                    network = self._services.sdk.network.get_network(network_id)
                self._names[network_id] = network.name or ""
            except NotFound:
                # A network that was shared with the project once.
                self._names[network_id] = ""
        return self._names[network_id]


def _port_order(server: "Server") -> Callable[["Port"], tuple[int, str]]:
    """Return a key that sorts ports as the server has them.

    Neutron lists them in no order; Nova lists addresses in the order of the interfaces, within
    each network. Ports without an address come last.
    """
    addresses = [address for several in (server.addresses or {}).values() for address in several]
    macs = dict.fromkeys(address.get("OS-EXT-IPS-MAC:mac_addr") for address in addresses)
    ranks = {mac: rank for rank, mac in enumerate(macs)}
    return lambda port: (ranks.get(port.mac_address, len(ranks)), port.id)
