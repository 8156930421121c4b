"""What the steps of sets need to do their work, and the call that each of them gets."""

from collections.abc import Collection
from typing import Self

import attrs

from karbor_backup_cinder.calls import NativeBackupCall
from karbor_backup_cinder.names import COMPLETE, STATE_KEY
from karbor_backup_cinder.sets.discovery import SetDiscoverer
from karbor_backup_cinder.sets.images import SystemDiskImages
from karbor_backup_cinder.sets.model import SetHandle, SetReceipt
from karbor_backup_cinder.sets.snapshots import VolumeSnapshots
from karbor_backup_core import Json, Operation, Step
from karbor_backup_openstack.native_backups import NativeBackupClient
from karbor_backup_openstack.resources import CloudResources
from karbor_backup_openstack.restore.context import RestoreContext
from karbor_backup_openstack.restore.state import RestoreState
from karbor_backup_openstack.services import CloudServices


@attrs.frozen
class SetContext:
    """Everything that a step may need; none of it holds state about an operation.

    Attributes:
        services: the cloud.
        backups: Cinder's backups.
        resources: servers, volumes, snapshots and images.
        discoverer: finds what a protect covers.
        snapshots: the snapshots of volumes that a protect makes for a while.
        images: the images of system disks that no volume holds.
    """

    services: CloudServices
    backups: NativeBackupClient
    resources: CloudResources
    discoverer: SetDiscoverer
    snapshots: VolumeSnapshots
    images: SystemDiskImages

    @classmethod
    def create(cls, services: CloudServices) -> Self:
        """Create it for one cloud."""
        backups, resources = NativeBackupClient(services), CloudResources(services)
        return cls(
            services,
            backups,
            resources,
            SetDiscoverer(services, backups),
            VolumeSnapshots(services, resources),
            SystemDiskImages(services, resources),
        )


class SetRestoreContext(RestoreContext):
    """One step's view of the restore of a set.

    Args:
        services: the cloud.
        operation: the restore.
        handle: what its backup holds.
        state: what the steps before have noted.
    """

    def __init__(
        self, services: CloudServices, operation: Operation, handle: SetHandle, state: Json
    ) -> None:
        super().__init__(services, operation, RestoreState.from_document(state))
        self.state.waiting.clear()
        self.handle = handle

    @property
    def native_sources(self) -> Collection[str]:
        """The ids of all volumes: Cinder restores each of them."""
        return [volume.id for volume in self.handle.volumes]

    @property
    def completion_metadata(self) -> dict[str, str]:
        """What tells a late call that a volume holds its data."""
        return {STATE_KEY: COMPLETE}


@attrs.frozen
class SetCall(NativeBackupCall[SetReceipt, SetHandle]):
    """One call of the steps of an operation on a set."""

    def _read_receipt(self) -> SetReceipt:
        return SetReceipt.from_operation(self.operation)

    def _read_handle(self) -> SetHandle:
        return SetHandle.from_backup(self.backup)


class SetStep(Step[SetCall]):
    """A step of a verb on sets.

    Args:
        context: what the steps need; it keeps no state of operations.
    """

    def __init__(self, context: SetContext) -> None:
        self._context = context

    def restore_context(self, call: SetCall) -> SetRestoreContext:
        """Return the view of a restore that a step has."""
        return SetRestoreContext(
            self._context.services, call.operation, call.handle, call.receipt.restored
        )
