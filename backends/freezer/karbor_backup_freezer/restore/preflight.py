"""Whether the cloud has what a restore needs, asked before anything is begun."""

from collections.abc import Iterable, Iterator, Sequence

from karbor_backup_core import InvalidInput, Json
from karbor_backup_freezer.model.items import BackupItem, Mode
from karbor_backup_openstack.errors import NotFound, Refused
from karbor_backup_openstack.problems import raise_for_problems
from karbor_backup_openstack.resource_types import VOLUME
from karbor_backup_openstack.restore.requirements import (
    restore_quota_problems,
    server_problems,
    volume_type_problems,
)
from karbor_backup_openstack.server_spec import ServerSpec
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
        services = self._services
        volumes = [item for item in items if item.type == VOLUME]
        types = {v.details["volume_type"] for v in volumes if "volume_type" in v.details}
        sizes = [] if overwrite else [(volume.size or 0) // GIB for volume in volumes]
        try:
            raise_for_problems(
                [
                    *(
                        self._overwrite_problems(volumes)
                        if overwrite
                        else volume_type_problems(services, types)
                    ),
                    *server_problems(services, servers),
                    *restore_quota_problems(services, sizes, servers),
                ]
            )
        except Refused as error:
            raise InvalidInput(str(error)) from error

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
