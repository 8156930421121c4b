"""What the steps of sets need to do their work, and the call that each of them gets."""

import functools
from collections.abc import Collection, Sequence
from typing import Self

import attrs

from karbor_backup_cinder.names import COMPLETE, STATE_KEY
from karbor_backup_cinder.sets.discovery import SetDiscoverer
from karbor_backup_cinder.sets.images import SystemDiskImages
from karbor_backup_cinder.sets.model import SetHandle, SetReceipt
from karbor_backup_cinder.sets.snapshots import VolumeSnapshots
from karbor_backup_core import (
    BackendError,
    InvalidInput,
    Json,
    Leftover,
    Operation,
    Progress,
    ProgressState,
    Step,
    StepCall,
)
from karbor_backup_openstack.native_backups import NativeBackup, NativeBackupClient
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
class SetCall(StepCall):
    """One call of the steps of an operation on a set, with what it has read.

    Attributes:
        seen: Cinder's backups that a poll has looked up for many operations at once, by id.
    """

    seen: dict[str, NativeBackup] = attrs.field(factory=dict, eq=False, repr=False)

    @functools.cached_property
    def receipt(self) -> SetReceipt:
        """The operation's receipt.

        Raises:
            BackendError: it was written by another version, or is damaged.
        """
        return SetReceipt.from_operation(self.operation)

    @functools.cached_property
    def handle(self) -> SetHandle:
        """The handle of the operation's backup.

        Raises:
            InvalidInput: there is none, or it cannot be read.
        """
        return SetHandle.from_backup(self.backup)


class SetStep(Step[SetCall]):
    """A step of a verb on sets.

    Args:
        context: what the steps need; it keeps no state of operations.
    """

    def __init__(self, context: SetContext) -> None:
        self._context = context

    def look_up(self, call: SetCall, identifiers: Collection[str]) -> list[NativeBackup]:
        """Return how some of Cinder's backups stand, from the present poll if that has seen them.

        Errors are those of ``NativeBackupClient.get_backups``.
        """
        unseen = [each for each in identifiers if each not in call.seen]
        found = {**call.seen, **(self._context.backups.get_backups(unseen) if unseen else {})}
        return [found[each] for each in identifiers]

    def load_own_backups(self, call: SetCall) -> list[NativeBackup]:
        """Return how the backups that an operation works on stand in Cinder.

        Raises:
            InvalidInput: the handle cannot be read, or one that it names is something else.
        """
        volumes = call.handle.backups
        found = self.look_up(call, volumes)
        for each in found:
            if not each.belongs_to(call.operation.backup_id, volumes[each.id]):
                raise InvalidInput(
                    f"backup {call.backup.id}: its handle is damaged: Cinder's backup {each.id} "
                    f"({each.name!r}) belongs to something else"
                )
        return found

    @staticmethod
    def report_progress(call: SetCall, busy: tuple[Leftover, ...]) -> Progress:
        """Return the progress of a step after which the operation may still be stopped.

        Args:
            call: the call.
            busy: what a service is still at work on.
        """
        if busy:
            return Progress(ProgressState.RUNNING, leftovers=busy)
        if call.operation.cancel_sent:
            return Progress(ProgressState.CANCELLED)
        return Progress(ProgressState.READY)

    def restore_context(self, call: SetCall) -> SetRestoreContext:
        """Return the view of a restore that a step has."""
        return SetRestoreContext(
            self._context.services, call.operation, call.handle, call.receipt.restored
        )


def observe_sets(
    context: SetContext, asked: Sequence[tuple[SetCall, Sequence[Step[SetCall]]]]
) -> None:
    """Look at the backups that the operations of a poll wait for, in one request for many.

    Errors are those of ``NativeBackupClient.get_backups``.
    """
    wanted: dict[str, list[SetCall]] = {}
    for call, _ in asked:
        # The workflow keeps the call of an operation that has not changed since the last poll.
        call.seen.clear()
        for identifier in _awaited_backups(call):
            wanted.setdefault(identifier, []).append(call)
    for identifier, found in (context.backups.get_backups(wanted) if wanted else {}).items():
        for call in wanted[identifier]:
            call.seen[identifier] = found


def _awaited_backups(call: SetCall) -> list[str]:
    """Return the ids of the backups that an operation works on in Cinder, as far as it knows."""
    try:
        volumes = call.receipt.volumes if call.operation.backup is None else call.handle.volumes
    except (BackendError, InvalidInput):
        # The step that is asked says what is wrong with it.
        return []
    return [volume.backup for volume in volumes if volume.backup]
