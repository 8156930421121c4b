"""What the protect of a server or a project covers, and whether it can be protected now."""

import functools
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from karbor_backup_cinder.chains import choose_parent
from karbor_backup_cinder.sets.model import SetReceipt, StoredVolume
from karbor_backup_cinder.volumes import encryption_problem
from karbor_backup_core import RECEIPT_LIMIT, Check, InvalidInput, Json, Resource
from karbor_backup_openstack.discovery.projects import (
    list_project_servers,
    list_project_volumes,
    require_own_project,
    volume_lookup,
)
from karbor_backup_openstack.discovery.servers import DiscoveredServer, ServerDiscovery
from karbor_backup_openstack.discovery.states import project_problem, server_problem
from karbor_backup_openstack.discovery.volumes import volume_details
from karbor_backup_openstack.errors import NotFound, Refused, translate_errors
from karbor_backup_openstack.native_backups import NativeBackupClient
from karbor_backup_openstack.problems import raise_for_problems
from karbor_backup_openstack.quotas import QuotaRequirement, cinder_quota_problems
from karbor_backup_openstack.resource_types import PROJECT
from karbor_backup_openstack.services import CloudServices
from karbor_backup_openstack.volumes import GIB, volume_state_problem

if TYPE_CHECKING:
    from openstack.block_storage.v3.volume import Volume
    from openstack.compute.v2.server import Server

_BYTES_PER_VOLUME: Final = 640
"""Bytes that a handle or receipt holds of each volume beside what the discovery says, at most."""

_STILL_STATES: Final = frozenset({"SHUTOFF", "PAUSED", "SUSPENDED"})
"""States of a server in which it writes to none of its disks."""


class SetDiscoverer:
    """Finds out what a protect covers, and refuses what cannot be protected as it is now.

    Args:
        services: the cloud.
        backups: Cinder's backups.
    """

    def __init__(self, services: CloudServices, backups: NativeBackupClient) -> None:
        self._services = services
        self._backups = backups

    def discover(self, resource: Resource, options: Json) -> SetReceipt:
        """Return the receipt of a protect of a server or project that begins.

        Raises:
            InvalidInput: it does not exist here, is in a state in which it cannot be backed up, is
                another project's, has an encrypted volume, a quota is too small, or it is too much
                for one backup.
            Transient: a repeat may help.
            BackendError: the cloud does not tell.
        """
        try:
            if resource.type == PROJECT:
                servers, volumes = self._list_project(resource)
            else:
                servers, volumes = [self._find_server(resource.id)], {}
            discovered = self._discover_servers(servers, volumes)
            self._require_protectable(servers, list(volumes.values()), options)
        except (NotFound, Refused) as error:
            raise InvalidInput(str(error)) from error
        receipt = SetReceipt(
            volumes=tuple(_to_stored_volume(volume) for volume in volumes.values()),
            servers=tuple(one.spec for one in discovered),
            checks=(
                *(check for one in discovered for check in one.checks),
                *(_consistency_check(one) for one in servers),
            ),
        )
        _require_room(resource, receipt)
        return receipt

    def _list_project(self, resource: Resource) -> tuple[list["Server"], dict[str, "Volume"]]:
        require_own_project(self._services, resource.id)
        servers = list_project_servers(self._services)
        return servers, {one.id: one for one in list_project_volumes(self._services)}

    def _find_server(self, identifier: str) -> "Server":
        with translate_errors(f"Nova for server {identifier}"):
            return self._services.sdk.compute.get_server(identifier)

    def _discover_servers(
        self, servers: Sequence["Server"], volumes: dict[str, "Volume"]
    ) -> list[DiscoveredServer]:
        """Write servers down; a volume of them that is not known yet is added to the others."""

        def find(volume_id: str) -> "Volume":
            return volumes.setdefault(volume_id, look_up(volume_id))

        look_up = functools.cache(volume_lookup(self._services, volumes))
        writer = ServerDiscovery(self._services, find)
        discovered = [writer.discover_server(server, lambda _: True) for server in servers]
        for one in discovered:
            for attachment in one.spec.attachments:
                find(attachment.volume)
        return discovered

    def _require_protectable(
        self, servers: Sequence["Server"], volumes: Sequence["Volume"], options: Json
    ) -> None:
        own = self._services.project
        raise_for_problems(
            [
                *(project_problem("server", one, own) or server_problem(one) for one in servers),
                *(
                    project_problem("volume", one, own)
                    or encryption_problem(one)
                    or volume_state_problem(one)
                    for one in volumes
                ),
                *self._quota_problems(volumes),
                *self._chain_problems(volumes, options),
            ]
        )

    def _quota_problems(self, volumes: Sequence["Volume"]) -> list[str]:
        """Describe which quotas are too small.

        Cinder may count a snapshot's GiB as a volume's, and does not tell whether it does.
        """
        need = QuotaRequirement(
            snapshots=len(volumes),
            backups=len(volumes),
            backup_gigabytes=sum(volume.size for volume in volumes),
        )
        return cinder_quota_problems(self._services, need)

    def _chain_problems(self, volumes: Collection["Volume"], options: Json) -> Iterator[str]:
        """Describe of which volumes Cinder has nothing that changes could be stored to."""
        if options.get("incremental", "never") != "always":
            return
        for volume in volumes:
            try:
                choose_parent(self._backups.list_of_volume(volume.id), options, None)
            except InvalidInput as error:
                yield f"volume {volume.id}: {error}"


def _to_stored_volume(volume: "Volume") -> StoredVolume:
    return StoredVolume(
        id=volume.id,
        name=volume.name or "",
        size=volume.size * GIB,
        details=volume_details(volume),
    )


def _consistency_check(server: "Server") -> Check:
    """Say whether the disks of a server are in the backup as they were at one instant."""
    disks = len(server.attached_volumes or ()) + bool(server.image)
    name = f"disks of server {server.id} at one instant"
    if server.status in _STILL_STATES or disks <= 1:
        return Check(name, verified=True)
    reason = f"it was running, and its {disks} disks were snapshotted one right after the other"
    return Check(name, verified=False, reason=reason)


def _require_room(resource: Resource, receipt: SetReceipt) -> None:
    """Refuse what would not fit into a receipt and a handle, before anything is begun."""
    written: Mapping[str, Any] = receipt.to_document()
    size = len(json.dumps(written).encode()) + _BYTES_PER_VOLUME * len(receipt.volumes)
    if size > RECEIPT_LIMIT:
        what = f"{len(receipt.servers)} servers and {len(receipt.volumes)} volumes"
        raise InvalidInput(
            f"{resource.type} {resource.id} is too large for one backup: what is needed to make "
            f"its {what} again takes {size} bytes, and {RECEIPT_LIMIT} are kept: protect its "
            "members on their own"
        )
