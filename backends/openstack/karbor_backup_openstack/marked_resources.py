"""What an operation has made in a cloud and marked: found, waited for and removed."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from karbor_backup_core import Leftover, Operation
from karbor_backup_openstack.metadata import MEMBER_KEY, is_marked
from karbor_backup_openstack.resources import CloudResources, RemovalStatus, ResourceKind, is_busy
from karbor_backup_openstack.services import CloudServices


class MarkedResources:
    """The resources of one kind that bear the marks of an operation (``operation_metadata``).

    Every method raises ``Transient`` where a repeat may help and ``BackendError`` where not.

    Args:
        services: the cloud.
        resources: its resources.

    Attributes:
        kind: what they are; a class of one kind sets it.
    """

    kind: ClassVar[ResourceKind]

    def __init__(self, services: CloudServices, resources: CloudResources) -> None:
        self._services = services
        self._resources = resources

    def find(self, operation: Operation) -> Mapping[str, Any]:
        """Return those of an operation by the ids of what they were made of, the oldest of each."""
        found = self._list_own(operation)
        return {read_marks(self.kind, each)[MEMBER_KEY]: each for each in reversed(found)}

    def list_busy(self, operation: Operation) -> tuple[Leftover, ...]:
        """Name those that their service is still at work on."""
        return tuple(
            Leftover(self.kind, each.id, f"it is in state {each.status}")
            for each in self._list_own(operation)
            if is_busy(self.kind, each)
        )

    def remove(self, operation: Operation) -> RemovalStatus:
        """Ask for the removal of all that an operation has made."""
        return self._resources.remove_resources(self.kind, self._list_own(operation))

    def _list_own(self, operation: Operation) -> Sequence[Any]:
        listed = self._resources.list_all(self.kind)
        return [each for each in listed if is_marked(read_marks(self.kind, each), operation)]


def read_marks(kind: ResourceKind, resource: Any) -> Mapping[str, str]:
    """Return what a resource has as metadata, which images call properties."""
    marks = resource.properties if kind is ResourceKind.IMAGE else resource.metadata
    return marks or {}
