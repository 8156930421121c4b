"""Whether the cloud has what a restore needs, asked before anything is begun."""

from collections.abc import Iterable, Iterator, Sequence

from karbor_backup_core import InvalidInput, Json
from karbor_backup_freezer.cloud.faults import NotFound, Refused
from karbor_backup_freezer.cloud.limits import Need, cinder_faults, nova_faults
from karbor_backup_freezer.cloud.lookups import flavor_for, network_for, volume_type_names
from karbor_backup_freezer.cloud.services import CloudServices
from karbor_backup_freezer.pieces import Mode, Piece, ServerNotes
from karbor_backup_freezer.resources import VOLUME
from karbor_backup_freezer.survey.refusal import refuse_if
from karbor_backup_freezer.survey.volumes import GIB, find_volume


class Preflight:
    """Looks for what a restore needs and cannot make itself.

    Args:
        services: the cloud.
    """

    def __init__(self, services: CloudServices) -> None:
        self._services = services

    def check(self, pieces: Sequence[Piece], servers: Sequence[ServerNotes], options: Json) -> None:
        """Refuse a restore that could not come to its end.

        Looked for are flavors, networks, volume types, room in the quotas and, where a volume is
        to be written over, that volume. A port's quota is not looked at: Neutron tells it to
        administrators only.

        Args:
            pieces: what is restored.
            servers: the servers that are made again.
            options: of the restore, valid by its schema.

        Raises:
            InvalidInput: something is missing; all that is missing is named.
            Transient: a repeat may help.
            BackendError: the cloud does not tell.
        """
        overwrite = bool(options.get("overwrite_volume", False))
        volumes = [piece for piece in pieces if piece.type == VOLUME]
        try:
            refuse_if(
                [
                    *(self._targets(volumes) if overwrite else self._types(volumes)),
                    *self._servers(servers),
                    *self._quotas([] if overwrite else volumes, servers),
                ]
            )
        except Refused as error:
            raise InvalidInput(str(error)) from error

    def _types(self, volumes: Iterable[Piece]) -> Iterator[str]:
        wanted = {
            piece.details["volume_type"] for piece in volumes if "volume_type" in piece.details
        }
        missing = wanted - volume_type_names(self._services) if wanted else wanted
        for name in sorted(missing):
            yield f"there is no volume type {name!r}: make one, or ask for access to it"

    def _targets(self, volumes: Iterable[Piece]) -> Iterator[str]:
        for piece in volumes:
            if piece.mode is not Mode.NATIVE:
                yield (
                    f"overwrite_volume: the backup of volume {piece.id} is of mode {piece.mode}, "
                    "which is restored into a new volume only"
                )
                continue
            try:
                volume = find_volume(self._services, piece.id)
            except NotFound:
                yield f"volume {piece.id} is gone: restore without overwrite_volume"
                continue
            if volume.status != "available":
                yield (
                    f"volume {piece.id} is in state {volume.status}: only one in state available "
                    "can be written over"
                )
            if volume.size * GIB < (piece.size or 0):
                yield f"volume {piece.id} has {volume.size} GiB: too small to be written over"

    def _servers(self, servers: Iterable[ServerNotes]) -> Iterator[str]:
        flavors = _distinct(notes.details["flavor"] for notes in servers)
        for flavor in flavors:
            if flavor_for(self._services, flavor) is None:
                yield f"there is no flavor {flavor['name']!r} of at least {_sizes(flavor)}"
        networks = _distinct(
            {key: network[key] for key in ("network", "network_name") if key in network}
            for notes in servers
            for network in notes.details.get("networks", ())
        )
        for network in networks:
            if network_for(self._services, network) is None:
                name = network.get("network_name")
                other = f", nor one network alone of the name {name!r}" if name else ""
                yield f"there is no network {network['network']}{other}"

    def _quotas(self, volumes: Sequence[Piece], servers: Sequence[ServerNotes]) -> list[str]:
        flavors = [notes.details["flavor"] for notes in servers]
        need = Need(
            volumes=len(volumes),
            gigabytes=sum((piece.size or 0) // GIB for piece in volumes),
            instances=len(servers),
            cores=sum(flavor.get("vcpus", 0) for flavor in flavors),
            ram=sum(flavor.get("ram", 0) for flavor in flavors),
        )
        return [*cinder_faults(self._services, need), *nova_faults(self._services, need)]


def _distinct(documents: Iterable[Json]) -> list[Json]:
    return list({tuple(sorted(document.items())): document for document in documents}.values())


def _sizes(flavor: Json) -> str:
    return f"{flavor['vcpus']} VCPUs, {flavor['ram']} MiB and a disk of {flavor.get('disk', 0)} GiB"
