"""The step of a delete: Cinder removes what a backup consists of, and nothing else."""

from typing import Generic, Protocol, TypeVar

from karbor_backup_cinder.calls import CallT
from karbor_backup_cinder.chains import name_dependents
from karbor_backup_core import HasDependents, InvalidInput, Progress, ProgressState, Step
from karbor_backup_openstack.native_backups import (
    NativeBackupClient,
    NativeBackupState,
    removal_failure,
)
from karbor_backup_openstack.resources import RemovalStatus


class BackupsContext(Protocol):
    """What the step needs of a context."""

    @property
    def backups(self) -> NativeBackupClient:
        """Cinder's backups."""


ContextT = TypeVar("ContextT", bound=BackupsContext)


class BackupRemoval(Step[CallT], Generic[CallT, ContextT]):
    """Has Cinder remove the backups, and waits until they are gone.

    Args:
        context: what the step needs; it keeps no state of operations.
    """

    name = "removal"

    def __init__(self, context: ContextT) -> None:
        self._context = context

    def execute(self, call: CallT) -> Progress:
        """Ask for the removal; refuse it if others are based on some since it was planned.

        Raises:
            HasDependents: others are based on some, which are named.
        """
        client, backup_id = self._context.backups, call.operation.backup_id
        found = call.load_own_backups(client)
        named = () if call.step == self.name else name_dependents(client, found)
        if named:
            raise HasDependents(backup_id, named)
        removal = client.remove_backups(call.handle.backups, backup_id)
        rest = self.remove_rest(call)
        if removal.pending or rest.pending:
            return call.receipt.report(ProgressState.RUNNING)
        leftovers = (*removal.leftovers, *rest.leftovers)
        if leftovers:
            return removal_failure(leftovers)
        return call.receipt.report(ProgressState.SUCCEEDED)

    def remove_rest(self, call: CallT) -> RemovalStatus:  # noqa: ARG002 - for those that override it
        """Ask for the removal of what the backup has beside Cinder's backups."""
        return RemovalStatus()

    def status(self, call: CallT) -> Progress:
        """Return how far the removal is."""
        begun = call.step == self.name
        found = call.load_own_backups(self._context.backups)
        busy = [each.to_leftover() for each in found if each.state is NativeBackupState.DELETING]
        if busy:
            return Progress(ProgressState.RUNNING, leftovers=tuple(busy))
        failed = [each.to_leftover() for each in found if each.state is NativeBackupState.FAILED]
        if begun and failed:
            return removal_failure(failed)
        return Progress(ProgressState.READY if begun else ProgressState.UNKNOWN)

    def revert(self, call: CallT) -> Progress:
        """Wait for the end of a removal that goes on; nothing else was made."""
        try:
            found = call.load_own_backups(self._context.backups)
        except InvalidInput:
            # What cannot be read was refused before anything was begun.
            return Progress(ProgressState.SUCCEEDED)
        busy = [each.to_leftover() for each in found if each.state is NativeBackupState.DELETING]
        state = ProgressState.RUNNING if busy else ProgressState.SUCCEEDED
        return Progress(state, leftovers=tuple(busy))
