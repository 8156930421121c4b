"""A project: every server and volume of it, and its images if they are wanted.

A volume is an item once, however many servers use it, and a server that boots from a volume is no
item: its data is its volumes. Things that Freezer's agent has made for another job of ours are
left out: they will be gone before their turn comes.
"""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from karbor_backup_core import Check, Json, Resource
from karbor_backup_freezer.discovery.items import image_item, server_item, volume_item
from karbor_backup_freezer.discovery.states import volume_problem
from karbor_backup_freezer.model.items import BackupItem, DiscoveryResult, Mode
from karbor_backup_openstack.discovery.projects import (
    list_project_servers,
    list_project_volumes,
    volume_lookup,
)
from karbor_backup_openstack.discovery.servers import ServerDiscovery
from karbor_backup_openstack.discovery.states import image_problem, server_problem
from karbor_backup_openstack.errors import translate_errors
from karbor_backup_openstack.problems import raise_for_problems
from karbor_backup_openstack.resource_types import PROJECT
from karbor_backup_openstack.services import CloudServices

if TYPE_CHECKING:
    from openstack.block_storage.v3.volume import Volume
    from openstack.compute.v2.server import Server
    from openstack.image.v2.image import Image

_TENANT_MODE_WARNING: Final = (
    "Freezer 19.0.0 reports that a project's backup succeeded even where the backup of one of its "
    "servers failed"
)

_TEMPORARY_NAME: Final = re.compile(r"[0-9a-f]{32}-\d+_(backup|restore)_")
"""A name under ``ids.item_prefix``, as freezer 19.0.0 gives it."""


class ProjectDiscovery:
    """Discovers the project that the credentials are for.

    Args:
        services: the cloud.
    """

    def __init__(self, services: CloudServices) -> None:
        self._services = services

    def discover(self, resource: Resource, options: Json) -> DiscoveryResult:
        """Discover a project resource by resource.

        Raises:
            InvalidInput: something of it cannot be backed up as it is now; each is named.
            Transient: a repeat may help.
            BackendError: the cloud does not tell what there is.
        """
        servers = list_project_servers(self._services)
        volumes = self._list_volumes()
        images = self._list_images() if options.get("include_images", False) else []
        empty, images = _split_by_data(images)
        raise_for_problems(
            [
                *map(server_problem, servers),
                *map(volume_problem, volumes.values()),
                *map(image_problem, images),
            ]
        )
        discovered = self._discover_servers(servers, volumes)
        return DiscoveryResult(
            resource=resource,
            items=(
                *(server_item(server) for server in servers if server.image),
                *(volume_item(volume, Mode.CINDER) for volume in volumes.values()),
                *(image_item(image) for image in images),
            ),
            servers=tuple(one.spec for one in discovered),
            checks=(
                *(check for one in discovered for check in one.checks),
                *map(_no_data_check, empty),
            ),
        )

    def discover_as_tenant(self, resource: Resource) -> DiscoveryResult:
        """Discover a project for mode ``tenant``; errors are those of ``discover``.

        A project without servers has no item: of one the agent (freezer 19.0.0) says that it
        failed.
        """
        servers = list_project_servers(self._services)
        raise_for_problems(
            [
                *map(server_problem, servers),
                *(
                    f"server {server.id} ({server.name}) boots from a volume, and Freezer's own "
                    "backup of a project stores nothing of it: use the mode 'resources'"
                    for server in servers
                    if not server.image
                ),
            ]
        )
        discovered = self._discover_servers(servers, {})
        item = BackupItem(type=PROJECT, id=resource.id, name=resource.name, mode=Mode.TENANT)
        weakness = Check("every server", verified=False, reason=_TENANT_MODE_WARNING)
        return DiscoveryResult(
            resource=resource,
            items=(item,) if servers else (),
            servers=tuple(one.spec for one in discovered),
            checks=(weakness, *(check for one in discovered for check in one.checks)),
        )

    def _list_volumes(self) -> dict[str, "Volume"]:
        volumes = list_project_volumes(self._services)
        return {volume.id: volume for volume in _drop_temporary(volumes)}

    def _list_images(self) -> list["Image"]:
        image = self._services.sdk.image
        mine = {"owner": self._services.project}
        with translate_errors("Glance for the images of the project"):
            found = [*image.images(**mine), *image.images(**mine, is_hidden=True)]
        return list(_drop_temporary({one.id: one for one in found}.values()))

    def _discover_servers(
        self, servers: Iterable["Server"], volumes: dict[str, "Volume"]
    ) -> list[Any]:
        writer = ServerDiscovery(self._services, volume_lookup(self._services, volumes))
        return [
            writer.discover_server(server, lambda one: one.volume in volumes) for server in servers
        ]


def _drop_temporary(things: Iterable[Any]) -> list[Any]:
    return [thing for thing in things if not _TEMPORARY_NAME.match(thing.name or "")]


def _split_by_data(images: Iterable["Image"]) -> tuple[list["Image"], list["Image"]]:
    """Tell images without data of their own from the others.

    Nova's image of a server that boots from a volume only points to snapshots.
    """
    both: tuple[list[Image], list[Image]] = ([], [])
    for image in images:
        both[bool(image.size) or image.status != "active"].append(image)
    return both


def _no_data_check(image: "Image") -> Check:
    return Check(
        f"image {image.id}",
        verified=False,
        reason="not in this backup: it holds no data of its own",
    )
