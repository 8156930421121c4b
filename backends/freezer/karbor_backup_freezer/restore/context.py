"""What a step of a rebuild has before it: the operation, the backup, and the cloud as it is."""

import functools
from collections.abc import Callable, Collection, Sequence
from typing import Any, Protocol

from karbor_backup_core import Operation
from karbor_backup_freezer.model.ids import item_prefix, job_id
from karbor_backup_freezer.model.items import Mode, StoredItem
from karbor_backup_openstack.metadata import is_marked
from karbor_backup_openstack.resources import source_image_name
from karbor_backup_openstack.restore.context import RestoreContext
from karbor_backup_openstack.restore.state import RestoreState
from karbor_backup_openstack.server_spec import ServerSpec
from karbor_backup_openstack.services import CloudServices


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


class FreezerRestoreContext(RestoreContext):
    """One step's view of what Freezer's agent brought back.

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
        super().__init__(services, operation, state)
        self.contents = contents
        self.job = job_id(operation.id)
        self.fence = fence
        self._has_job = has_job

    @functools.cached_property
    def native_sources(self) -> Collection[str]:
        """The ids of the volumes of which Cinder keeps the backup itself."""
        return {s.item.id for s in self.contents.items if s.item.mode is Mode.NATIVE}

    def why_over(self) -> str:
        """Say whether the fence is gone, as far as Freezer tells; errors are Freezer's."""
        up = not self.fence or self._has_job(self.fence)
        return "" if up else f"job {self.fence} is gone"

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

    def is_created_volume(self, volume: Any, source: str | None = None) -> bool:
        """Return whether the operation made a volume, by the agent or otherwise."""
        by_agent = source_image_name(volume).startswith(f"{self.job}-")
        return by_agent or super().is_created_volume(volume, source)

    def created_servers(self) -> Sequence[Any]:
        """Return the servers that the operation made, by the agent or otherwise."""
        agents = {server.id for server in self.agent_servers()}
        return [
            server
            for server in self.servers
            if server.id in agents or is_marked(server.metadata, self.operation)
        ]
