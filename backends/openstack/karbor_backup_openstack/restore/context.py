"""What a step of a restore has before it: the operation, and the cloud as it is."""

import datetime as dt
import functools
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from karbor_backup_core import Operation
from karbor_backup_openstack.metadata import is_marked
from karbor_backup_openstack.resources import CloudResources, ResourceKind
from karbor_backup_openstack.restore.state import RestoreState
from karbor_backup_openstack.services import CloudServices

_CLOCK_TOLERANCE: Final = dt.timedelta(minutes=5)
"""By how much the clocks of a cloud and of this host may differ."""


class RestoreContext:
    """One step's view. Each kind of thing is listed once, when it is first asked for.

    Args:
        services: the cloud.
        operation: the restore.
        state: what the steps before have noted; changed in place.
    """

    def __init__(self, services: CloudServices, operation: Operation, state: RestoreState) -> None:
        self.services = services
        self.operation = operation
        self.state = state
        self.resources = CloudResources(services)

    @property
    def native_sources(self) -> Collection[str]:
        """The ids of the source volumes to whose new volumes Cinder restores its own backups."""
        return ()

    @property
    def completion_metadata(self) -> Mapping[str, str]:
        """What a volume that holds its data has beside the marks of the operation."""
        return {}

    def why_over(self) -> str:
        """Return how it is known that the operation is over, empty while it is not known."""
        return ""

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

    def created_images(self) -> Sequence[Any]:
        """Return the images that the operation made."""
        return [image for image in self.images if is_marked(image.properties, self.operation)]

    def created_servers(self) -> Sequence[Any]:
        """Return the servers that the operation made."""
        return [server for server in self.servers if is_marked(server.metadata, self.operation)]

    def created_volumes(self) -> Sequence[Any]:
        """Return the volumes that the operation made."""
        return [volume for volume in self.volumes if self.is_created_volume(volume)]

    def is_created_volume(self, volume: Any, source: str | None = None) -> bool:
        """Return whether the operation made a volume, of that source where one is given."""
        return is_marked(volume.metadata, self.operation, source) or self.is_native_target(volume)

    def is_native_target(self, volume: Any) -> bool:
        """Return whether a volume was made for one of Cinder's own backups.

        Cinder's restore may take the mark away, so a note counts for a volume that is not older
        than the operation.
        """
        noted = {self.state.volumes.get(source) for source in self.native_sources}
        made = volume.id in noted and volume.id in self.state.created_ids()
        return made and self.is_created_since_start(volume)

    def is_created_since_start(self, resource: Any) -> bool:
        """Return whether a thing was made since the operation began, as far as clocks tell."""
        made = dt.datetime.fromisoformat(resource.created_at).replace(tzinfo=dt.UTC)
        return made >= self.operation.created_at - _CLOCK_TOLERANCE
