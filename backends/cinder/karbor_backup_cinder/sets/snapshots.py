"""The snapshots of a set's volumes, which are there from before the copies until after them."""

from collections.abc import Iterable

from karbor_backup_cinder.sets.model import StoredVolume
from karbor_backup_core import Operation
from karbor_backup_openstack.errors import translate_errors
from karbor_backup_openstack.marked_resources import MarkedResources
from karbor_backup_openstack.metadata import operation_metadata
from karbor_backup_openstack.resources import ResourceKind


class VolumeSnapshots(MarkedResources):
    """Finds, makes and removes the snapshots of an operation, by the ids of their volumes."""

    kind = ResourceKind.SNAPSHOT

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
