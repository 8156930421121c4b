"""The snapshots of a set's volumes, which are there from before the copies until after them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from karbor_backup_cinder.sets.model import StoredVolume
from karbor_backup_core import Leftover, Operation
from karbor_backup_openstack.errors import translate_errors
from karbor_backup_openstack.metadata import MEMBER_KEY, is_marked, operation_metadata
from karbor_backup_openstack.resources import CloudResources, RemovalStatus, ResourceKind, is_busy
from karbor_backup_openstack.services import CloudServices


class VolumeSnapshots:
    """Finds, makes and removes the snapshots of an operation, which bear its marks.

    Every method raises ``Transient`` where a repeat may help and ``BackendError`` where not.

    Args:
        services: the cloud.
        resources: its snapshots.
    """

    def __init__(self, services: CloudServices, resources: CloudResources) -> None:
        self._services = services
        self._resources = resources

    def find(self, operation: Operation) -> Mapping[str, Any]:
        """Return the snapshots of an operation by the ids of their volumes."""
        found = self._list_own(operation)
        return {snapshot.metadata[MEMBER_KEY]: snapshot for snapshot in reversed(found)}

    def create(self, operation: Operation, volumes: Iterable[StoredVolume]) -> None:
        """Have Cinder take a snapshot of each of the volumes, one right after the other."""
        for volume in volumes:
            with translate_errors(f"Cinder for a snapshot of volume {volume.id}"):
                self._services.sdk.block_storage.create_snapshot(
                    volume_id=volume.id,
                    name=f"karbor-backup_{operation.id}",
                    # It says that the volume may be in use; the state was looked at before.
                    is_forced=True,
                    metadata=operation_metadata(operation, volume.id),
                )

    def list_busy(self, operation: Operation) -> tuple[Leftover, ...]:
        """Name the snapshots that Cinder is still at work on."""
        return tuple(
            Leftover(ResourceKind.SNAPSHOT, snapshot.id, f"it is in state {snapshot.status}")
            for snapshot in self._list_own(operation)
            if is_busy(ResourceKind.SNAPSHOT, snapshot)
        )

    def remove(self, operation: Operation) -> RemovalStatus:
        """Ask for the removal of all snapshots of an operation."""
        return self._resources.remove_resources(ResourceKind.SNAPSHOT, self._list_own(operation))

    def _list_own(self, operation: Operation) -> Sequence[Any]:
        listed = self._resources.list_all(ResourceKind.SNAPSHOT)
        return [each for each in listed if is_marked(each.metadata, operation)]
