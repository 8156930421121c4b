"""What a restore needs of the cloud and cannot make itself, asked before anything is begun."""

from collections.abc import Collection, Iterable, Iterator, Sequence

from karbor_backup_core import Json
from karbor_backup_openstack.lookups import find_flavor, find_network, list_volume_type_names
from karbor_backup_openstack.quotas import (
    QuotaRequirement,
    cinder_quota_problems,
    nova_quota_problems,
)
from karbor_backup_openstack.server_spec import ServerSpec
from karbor_backup_openstack.services import CloudServices


def volume_type_problems(services: CloudServices, wanted: Collection[str]) -> Iterator[str]:
    """Describe which of the types of volumes that are wanted are not there."""
    missing = set(wanted) - list_volume_type_names(services) if wanted else ()
    for name in sorted(missing):
        yield f"there is no volume type {name!r}: make one, or ask for access to it"


def server_problems(services: CloudServices, servers: Iterable[ServerSpec]) -> Iterator[str]:
    """Describe which flavors and networks of servers are not there."""
    flavors = _distinct_documents(spec.details["flavor"] for spec in servers)
    for flavor in flavors:
        if find_flavor(services, flavor) is None:
            least = _describe_flavor(flavor)
            yield f"there is no flavor {flavor['name']!r} of at least {least}"
    networks = _distinct_documents(
        {key: network[key] for key in ("network", "network_name") if key in network}
        for spec in servers
        for network in spec.details.get("networks", ())
    )
    for network in networks:
        if find_network(services, network) is None:
            name = network.get("network_name")
            other = f", nor one network alone of the name {name!r}" if name else ""
            yield f"there is no network {network['network']}{other}"


def restore_quota_problems(
    services: CloudServices, volumes: Sequence[int], servers: Sequence[ServerSpec]
) -> list[str]:
    """Describe which quotas are too small.

    A port's quota is not looked at: Neutron tells it to administrators only.

    Args:
        services: the cloud.
        volumes: the sizes of the new volumes, in GiB.
        servers: the servers that are made again.
    """
    flavors = [spec.details["flavor"] for spec in servers]
    need = QuotaRequirement(
        volumes=len(volumes),
        gigabytes=sum(volumes),
        instances=len(servers),
        cores=sum(flavor.get("vcpus", 0) for flavor in flavors),
        ram=sum(flavor.get("ram", 0) for flavor in flavors),
    )
    return [
        *cinder_quota_problems(services, need),
        *nova_quota_problems(services, need),
    ]


def _distinct_documents(documents: Iterable[Json]) -> list[Json]:
    return list({tuple(sorted(document.items())): document for document in documents}.values())


def _describe_flavor(flavor: Json) -> str:
    return f"{flavor['vcpus']} VCPUs, {flavor['ram']} MiB and a disk of {flavor.get('disk', 0)} GiB"
