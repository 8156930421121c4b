"""A server's networks: its old addresses where they are free, and its security groups."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from karbor_backup_core import BackendError, Transient
from karbor_backup_openstack.errors import NotFound, translate_errors
from karbor_backup_openstack.lookups import find_network
from karbor_backup_openstack.restore.context import RestoreContext
from karbor_backup_openstack.server_spec import ServerSpec

_NO_NETWORK: Final = "none"
"""Nova's word for a server that is to have none."""


@attrs.frozen(kw_only=True)
class Interface:
    """One interface that a server is to have again.

    Attributes:
        network: the id of the network as it is now.
        name: the network's name, for people.
        addresses: the addresses that the source had there.
        groups: the ids of its port's security groups, of those that are still there.
        pairs: the further addresses that its port let through, as Neutron has them.
    """

    network: str
    name: str
    addresses: tuple[str, ...]
    groups: frozenset[str]
    pairs: tuple[Mapping[str, str], ...] = ()


def find_interfaces(context: RestoreContext, spec: ServerSpec) -> tuple[Interface, ...]:
    """Find a server's networks and security groups again, in the order of its interfaces.

    A security group that is gone is noted.

    Raises:
        BackendError: a network is not there.
    """
    written = spec.details.get("networks") or ()
    groups = _existing_groups(
        context, {g for one in written for g in one.get("security_groups", ())}
    )
    found = []
    for one in written:
        network = find_network(context.services, one)
        name = one.get("network_name") or one["network"]
        if network is None:
            raise BackendError(f"its network {name} does not exist")
        found.append(
            Interface(
                network=network.id,
                name=name,
                addresses=tuple(ip["ip_address"] for ip in one.get("fixed_ips", ())),
                groups=groups & set(one.get("security_groups", ())),
                pairs=_address_pairs(one),
            )
        )
    return tuple(found)


def requested_networks(
    context: RestoreContext, spec: ServerSpec, wanted: Sequence[Interface]
) -> list[dict[str, str]] | str:
    """Return the networks to request from Nova, with the source's address where it is free."""
    networks = []
    for interface in wanted:
        asked = {"uuid": interface.network}
        first = next(iter(interface.addresses), None)
        if first and spec.id not in context.state.anywhere and _is_free(context, interface, first):
            asked["fixed_ip"] = first
        networks.append(asked)
    return networks or _NO_NETWORK


def initial_security_groups(wanted: Sequence[Interface]) -> list[dict[str, str]]:
    """Return the groups that Nova is to give every new port; ``settle`` gives each port its own."""
    return [{"name": group} for group in sorted({g for one in wanted for g in one.groups})]


def is_address_conflict(spec: ServerSpec, reason: str) -> bool:
    """Whether one of the source's addresses is why Nova refused."""
    return any(address in reason for address in _source_addresses(spec))


def drop_addresses(context: RestoreContext, spec: ServerSpec) -> bool:
    """Note that a server is made without its old addresses; False where there is none to lose."""
    if spec.id in context.state.anywhere or not _source_addresses(spec):
        return False
    context.state.anywhere.append(spec.id)
    return True


def update_ports(context: RestoreContext, spec: ServerSpec, server: Any) -> None:
    """Give a running server's ports the groups and further addresses of the source's.

    What Neutron refuses is noted, and no failure.
    """
    network: Any = context.services.sdk.network
    with translate_errors(f"Neutron for the ports of server {server.id}"):
        ports = list(network.ports(device_id=server.id))
    for interface in find_interfaces(context, spec):
        port = _find_port(interface, ports)
        if port is None:
            continue
        ports.remove(port)
        if interface.groups != set(port.security_group_ids or ()):
            _update_port(context, port, "security_groups", sorted(interface.groups))
        further = [
            {"ip_address": address}
            for address in interface.addresses[1:]
            if address not in _port_addresses(port) and _is_free(context, interface, address)
        ]
        if further:
            _update_port(context, port, "fixed_ips", [*port.fixed_ips, *further])
        has = {"mac": port.mac_address, "allowed_address_pairs": port.allowed_address_pairs or ()}
        if interface.pairs and interface.pairs != _address_pairs(has):
            _update_port(context, port, "allowed_address_pairs", list(interface.pairs))
        present = _port_addresses(port)
        missing = [address for address in interface.addresses if address not in present]
        if missing:
            place = f"port {port.id} of server {server.id} on {interface.name}"
            context.state.doubts[f"address of {place}"] = (
                f"{', '.join(missing)} is taken; it has {', '.join(present)}"
            )


def _update_port(context: RestoreContext, port: Any, what: str, value: list[Any]) -> None:
    network: Any = context.services.sdk.network
    try:
        with translate_errors(f"Neutron to change port {port.id}"):
            port.fixed_ips = network.update_port(port.id, **{what: value}).fixed_ips
    except Transient:
        raise
    except (BackendError, NotFound) as error:
        context.state.doubts[f"{what} of port {port.id}"] = str(error)


def _address_pairs(written: Mapping[str, Any]) -> tuple[Mapping[str, str], ...]:
    """Return the address pairs of a port, without its old MAC: Neutron adds the new one."""
    return tuple(
        {key: value for key, value in pair.items() if (key, value) != ("mac_address", mac)}
        for mac in [written.get("mac")]
        for pair in written.get("allowed_address_pairs", ())
    )


def _source_addresses(spec: ServerSpec) -> list[str]:
    written = spec.details.get("networks") or ()
    return [ip["ip_address"] for one in written for ip in one.get("fixed_ips", ())]


def _existing_groups(context: RestoreContext, wanted: set[str]) -> frozenset[str]:
    if not wanted:
        return frozenset()
    with translate_errors("Neutron for the security groups of the project"):
        present = {group.id for group in context.services.sdk.network.security_groups()}
    for group in sorted(wanted - present):
        context.state.doubts[f"security group {group}"] = "it is not there any more"
    return frozenset(wanted & present)


def _is_free(context: RestoreContext, interface: Interface, address: str) -> bool:
    """Whether no port that these credentials may see has an address."""
    network: Any = context.services.sdk.network
    with translate_errors(f"Neutron for who has address {address}"):
        return not list(
            network.ports(network_id=interface.network, fixed_ips=f"ip_address={address}")
        )


def _find_port(interface: Interface, ports: Sequence[Any]) -> Any | None:
    """Return the port on a network: the one with the right address, where there are several."""
    same = [port for port in ports if port.network_id == interface.network]
    same.sort(key=lambda port: set(interface.addresses).isdisjoint(_port_addresses(port)))
    return same[0] if same else None


def _port_addresses(port: Any) -> list[str]:
    return [ip["ip_address"] for ip in port.fixed_ips or ()]
