"""A project: every server and volume of it, and its images if they are wanted.

A volume is a piece once, however many servers use it, and a server that boots from a volume is no
piece: its data is its volumes. Things that Freezer's agent has made for another job of ours are
left out: they will be gone before their turn comes.
"""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from karbor_backup_core import Check, Json, Resource
from karbor_backup_freezer.cloud.faults import asking
from karbor_backup_freezer.cloud.services import CloudServices
from karbor_backup_freezer.pieces import Mode, Piece, Survey
from karbor_backup_freezer.resources import PROJECT
from karbor_backup_freezer.survey.images import image_piece
from karbor_backup_freezer.survey.refusal import refuse_if
from karbor_backup_freezer.survey.servers import Servers, server_piece
from karbor_backup_freezer.survey.states import image_fault, server_fault, volume_fault
from karbor_backup_freezer.survey.volumes import find_volume, volume_piece

if TYPE_CHECKING:
    from openstack.block_storage.v3.volume import Volume
    from openstack.compute.v2.server import Server
    from openstack.image.v2.image import Image

_WEAKNESS: Final = (
    "Freezer 19.0.0 reports that a project's backup succeeded even where the backup of one of its "
    "servers failed"
)

_TEMPORARY: Final = re.compile(r"[0-9a-f]{32}-\d+_(backup|restore)_")
"""A name under ``identifiers.piece_prefix``, as freezer 19.0.0 gives it."""


class Projects:
    """Surveys the project that the credentials are for.

    Args:
        services: the cloud.
    """

    def __init__(self, services: CloudServices) -> None:
        self._services = services

    def survey(self, resource: Resource, options: Json) -> Survey:
        """Survey a project resource by resource.

        Raises:
            InvalidInput: something of it cannot be backed up as it is now; each is named.
            Transient: a repeat may help.
            BackendError: the cloud does not tell what there is.
        """
        servers = self._servers()
        volumes = self._volumes()
        images = self._images() if options.get("include_images", False) else []
        empty, images = _split(images)
        refuse_if(
            [
                *map(server_fault, servers),
                *map(volume_fault, volumes.values()),
                *map(image_fault, images),
            ]
        )
        surveyed = self._written(servers, volumes)
        return Survey(
            resource=resource,
            pieces=(
                *(server_piece(server) for server in servers if server.image),
                *(volume_piece(volume, Mode.CINDER) for volume in volumes.values()),
                *(image_piece(image) for image in images),
            ),
            servers=tuple(one.notes for one in surveyed),
            checks=(*(check for one in surveyed for check in one.checks), *map(_no_data, empty)),
        )

    def survey_as_tenant(self, resource: Resource) -> Survey:
        """Survey a project for Freezer's own backup of a project; errors are those of ``survey``.

        A project without servers has no piece: of one the agent (freezer 19.0.0) says that it
        failed.
        """
        servers = self._servers()
        refuse_if(
            [
                *map(server_fault, servers),
                *(
                    f"server {server.id} ({server.name}) boots from a volume, and Freezer's own "
                    "backup of a project stores nothing of it: use the mode 'resources'"
                    for server in servers
                    if not server.image
                ),
            ]
        )
        surveyed = self._written(servers, {})
        piece = Piece(type=PROJECT, id=resource.id, name=resource.name, mode=Mode.TENANT)
        weakness = Check("every server", verified=False, reason=_WEAKNESS)
        return Survey(
            resource=resource,
            pieces=(piece,) if servers else (),
            servers=tuple(one.notes for one in surveyed),
            checks=(weakness, *(check for one in surveyed for check in one.checks)),
        )

    def _servers(self) -> list["Server"]:
        with asking("Nova for the servers of the project"):
            return list(self._services.sdk.compute.servers())

    def _volumes(self) -> dict[str, "Volume"]:
        with asking("Cinder for the volumes of the project"):
            volumes = list(self._services.sdk.block_storage.volumes())
        return {volume.id: volume for volume in _lasting(volumes)}

    def _images(self) -> list["Image"]:
        image = self._services.sdk.image
        mine = {"owner": self._services.project}
        with asking("Glance for the images of the project"):
            found = [*image.images(**mine), *image.images(**mine, is_hidden=True)]
        return list(_lasting({one.id: one for one in found}.values()))

    def _written(self, servers: Iterable["Server"], volumes: dict[str, "Volume"]) -> list[Any]:
        def volume(volume_id: str) -> "Volume":
            return volumes.get(volume_id) or find_volume(self._services, volume_id)

        writer = Servers(self._services, volume)
        return [writer.look(server, lambda one: one.volume in volumes) for server in servers]


def _lasting(things: Iterable[Any]) -> list[Any]:
    return [thing for thing in things if not _TEMPORARY.match(thing.name or "")]


def _split(images: Iterable["Image"]) -> tuple[list["Image"], list["Image"]]:
    """Tell images without data of their own from the others.

    Nova's image of a server that boots from a volume only points to snapshots.
    """
    both: tuple[list[Image], list[Image]] = ([], [])
    for image in images:
        both[bool(image.size) or image.status != "active"].append(image)
    return both


def _no_data(image: "Image") -> Check:
    return Check(
        f"image {image.id}",
        verified=False,
        reason="not in this backup: it holds no data of its own",
    )
