"""What a step of a rebuild has before it: the operation, the backup, and the cloud as it is."""

import datetime as dt
import functools
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

from karbor_backup_core import Operation
from karbor_backup_freezer.model.ids import item_prefix, job_id
from karbor_backup_freezer.model.items import Mode, ServerSpec, StoredItem
from karbor_backup_freezer.restore.state import RestoreState
from karbor_backup_openstack.metadata import is_marked
from karbor_backup_openstack.resources import CloudResources, ResourceKind, source_image_name
from karbor_backup_openstack.services import CloudServices

_CLOCK_TOLERANCE: Final = dt.timedelta(minutes=5)
"""By how much the clocks of a cloud and of this host may differ."""


class BackupContents(Protocol):
    """What a rebuild reads of a handle."""

    @property
    def items(self) -> Sequence[StoredItem]:
        """What was stored, in the order of the restore job's actions."""
        ...

    @property
    def servers(self) -> Sequence[ServerSpec]:
        """The servers that are to be made again."""
        ...


class RestoreContext:
    """One step's view. Each kind of thing is listed once, when it is first asked for.

    Args:
        services: the cloud.
        operation: the restore.
        contents: what its backup holds.
        state: what the steps before have noted; changed in place.
        fence: the id of a job that is in Freezer until the operation is over.
        has_job: whether Freezer has a job of an id.
    """

    def __init__(
        self,
        services: CloudServices,
        operation: Operation,
        contents: BackupContents,
        state: RestoreState,
        *,
        fence: str = "",
        has_job: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self.services = services
        self.operation = operation
        self.contents = contents
        self.state = state
        self.resources = CloudResources(services)
        self.job = job_id(operation.id)
        self.fence = fence
        self._has_job = has_job

    def is_fence_up(self) -> bool:
        """Return whether the operation goes on, as far as Freezer tells; errors are Freezer's."""
        return not self.fence or self._has_job(self.fence)

    @functools.cached_property
    def volumes(self) -> Sequence[Any]:
        """All volumes of the project, oldest first."""
        return self.resources.list_all(ResourceKind.VOLUME)

    @functools.cached_property
    def servers(self) -> Sequence[Any]:
        """All servers of the project, oldest first."""
        return self.resources.list_all(ResourceKind.SERVER)

    @functools.cached_property
    def images(self) -> Sequence[Any]:
        """All images of the project, oldest first."""
        return self.resources.list_all(ResourceKind.IMAGE)

    def item_prefix(self, index: int) -> str:
        """Return what the agent put before the names of what it made for one item."""
        return item_prefix(self.job, index)

    def attempted_items(self) -> frozenset[int]:
        """Return the places in the backup of the items of which the agent has left anything.

        Freezer does not tell which action of a job failed, and its scheduler skips those that come
        after it. What the agent makes of an item bears the prefix of that item's action (freezer
        19.0.0).
        """
        names = [
            *(image.name or "" for image in self.images),
            *(volume.name or "" for volume in self.volumes),
            *(source_image_name(volume) for volume in self.volumes),
        ]
        return frozenset(
            index
            for index in range(len(self.contents.items))
            if any(name.startswith(self.item_prefix(index)) for name in names)
        )

    def agent_images(self) -> Sequence[Any]:
        """Return the images that the agent made of the items and has not removed."""
        return [image for image in self.images if (image.name or "").startswith(f"{self.job}-")]

    def agent_servers(self) -> Sequence[Any]:
        """Return the servers that the agent itself has made of those images."""
        images = {image.id for image in self.agent_images()}
        return [
            server
            for server in self.servers
            if getattr(server.image, "id", None) in images
            and not is_marked(server.metadata, self.operation)
        ]

    def created_images(self) -> Sequence[Any]:
        """Return the images that the operation made, by the agent or otherwise."""
        temporary = {image.id for image in self.agent_images()}
        return [
            image
            for image in self.images
            if image.id in temporary or is_marked(image.properties, self.operation)
        ]

    def created_volumes(self) -> Sequence[Any]:
        """Return the volumes that the operation made, by the agent or otherwise."""
        return [
            volume
            for volume in self.volumes
            if is_marked(volume.metadata, self.operation)
            or source_image_name(volume).startswith(f"{self.job}-")
            or self.is_native_target(volume)
        ]

    def is_native_target(self, volume: Any) -> bool:
        """Return whether a volume was made for one of Cinder's own backups.

        Cinder's restore may take the mark away, so a note counts for a volume that is not older
        than the operation.
        """
        noted = {
            self.state.volumes.get(stored.item.id)
            for stored in self.contents.items
            if stored.item.mode is Mode.NATIVE
        }
        made = volume.id in noted and volume.id in self.state.created_ids()
        return made and self.is_created_since_start(volume)

    def is_created_since_start(self, resource: Any) -> bool:
        """Return whether a thing was made since the operation began, as far as clocks tell."""
        made = dt.datetime.fromisoformat(resource.created_at).replace(tzinfo=dt.UTC)
        return made >= self.operation.created_at - _CLOCK_TOLERANCE

    def created_servers(self) -> Sequence[Any]:
        """Return the servers that the operation made, by the agent or otherwise."""
        agents = {server.id for server in self.agent_servers()}
        return [
            server
            for server in self.servers
            if server.id in agents or is_marked(server.metadata, self.operation)
        ]
