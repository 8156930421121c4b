"""Whether the cloud has what a restore needs, asked before anything is begun."""

from collections.abc import Iterable, Iterator, Sequence

from karbor_backup_core import InvalidInput, Json
from karbor_backup_freezer.model.items import BackupItem, Mode, ServerSpec
from karbor_backup_freezer.model.resource_types import VOLUME
from karbor_backup_openstack.errors import NotFound, Refused
from karbor_backup_openstack.lookups import find_flavor, find_network, list_volume_type_names
from karbor_backup_openstack.problems import raise_for_problems
from karbor_backup_openstack.quotas import (
    QuotaRequirement,
    cinder_quota_problems,
    nova_quota_problems,
)
from karbor_backup_openstack.services import CloudServices
from karbor_backup_openstack.volumes import GIB, find_volume


class Preflight:
    """Looks for what a restore needs and cannot make itself.

    Args:
        services: the cloud.
    """

    def __init__(self, services: CloudServices) -> None:
        self._services = services

    def check(
        self, items: Sequence[BackupItem], servers: Sequence[ServerSpec], options: Json
    ) -> None:
        """Refuse a restore that could not come to its end.

        Looked for are flavors, networks, volume types, room in the quotas and, where a volume is
        to be written over, that volume. A port's quota is not looked at: Neutron tells it to
        administrators only.

        Args:
            items: what is restored.
            servers: the servers that are made again.
            options: of the restore, valid by its schema.

        Raises:
            InvalidInput: something is missing; all that is missing is named.
            Transient: a repeat may help.
            BackendError: the cloud does not tell.
        """
        overwrite = bool(options.get("overwrite_volume", False))
        volumes = [item for item in items if item.type == VOLUME]
        try:
            raise_for_problems(
                [
                    *(
                        self._overwrite_problems(volumes)
                        if overwrite
                        else self._volume_type_problems(volumes)
                    ),
                    *self._server_problems(servers),
                    *self._quota_problems([] if overwrite else volumes, servers),
                ]
            )
        except Refused as error:
            raise InvalidInput(str(error)) from error

    def _volume_type_problems(self, volumes: Iterable[BackupItem]) -> Iterator[str]:
        wanted = {item.details["volume_type"] for item in volumes if "volume_type" in item.details}
        missing = wanted - list_volume_type_names(self._services) if wanted else wanted
        for name in sorted(missing):
            yield f"there is no volume type {name!r}: make one, or ask for access to it"

    def _overwrite_problems(self, volumes: Iterable[BackupItem]) -> Iterator[str]:
        for item in volumes:
            if item.mode is not Mode.NATIVE:
                yield (
                    f"overwrite_volume: the backup of volume {item.id} is of mode {item.mode}, "
                    "which is restored into a new volume only"
                )
                continue
            try:
                volume = find_volume(self._services, item.id)
            except NotFound:
                yield f"volume {item.id} is gone: restore without overwrite_volume"
                continue
            if volume.status != "available":
                yield (
                    f"volume {item.id} is in state {volume.status}: only one in state available "
                    "can be written over"
                )
            if volume.size * GIB < (item.size or 0):
                yield f"volume {item.id} has {volume.size} GiB: too small to be written over"

    def _server_problems(self, servers: Iterable[ServerSpec]) -> Iterator[str]:
        flavors = _distinct_documents(spec.details["flavor"] for spec in servers)
        for flavor in flavors:
            if find_flavor(self._services, flavor) is None:
                least = _describe_flavor(flavor)
                yield f"there is no flavor {flavor['name']!r} of at least {least}"
        networks = _distinct_documents(
            {key: network[key] for key in ("network", "network_name") if key in network}
            for spec in servers
            for network in spec.details.get("networks", ())
        )
        for network in networks:
            if find_network(self._services, network) is None:
                name = network.get("network_name")
                other = f", nor one network alone of the name {name!r}" if name else ""
                yield f"there is no network {network['network']}{other}"

    def _quota_problems(
        self, volumes: Sequence[BackupItem], servers: Sequence[ServerSpec]
    ) -> list[str]:
        flavors = [spec.details["flavor"] for spec in servers]
        need = QuotaRequirement(
            volumes=len(volumes),
            gigabytes=sum((item.size or 0) // GIB for item in volumes),
            instances=len(servers),
            cores=sum(flavor.get("vcpus", 0) for flavor in flavors),
            ram=sum(flavor.get("ram", 0) for flavor in flavors),
        )
        return [
            *cinder_quota_problems(self._services, need),
            *nova_quota_problems(self._services, need),
        ]


def _distinct_documents(documents: Iterable[Json]) -> list[Json]:
    return list({tuple(sorted(document.items())): document for document in documents}.values())


def _describe_flavor(flavor: Json) -> str:
    return f"{flavor['vcpus']} VCPUs, {flavor['ram']} MiB and a disk of {flavor.get('disk', 0)} GiB"
