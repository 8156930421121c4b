"""The step of a delete: Cinder removes the backup, and no other."""

from karbor_backup_cinder.chains import name_dependents
from karbor_backup_cinder.context import CinderCall, CinderStep
from karbor_backup_core import HasDependents, InvalidInput, Progress, ProgressState
from karbor_backup_openstack.native_backups import NativeBackupState, removal_failure


class BackupRemoval(CinderStep):
    """Has Cinder remove the backup, and waits until it is gone."""

    name = "removal"

    def execute(self, call: CinderCall) -> Progress:
        """Ask for the removal; refuse it if others are based on this one since it was planned.

        Raises:
            HasDependents: others are based on it, which are named.
        """
        found = self.load_own_backup(call)
        named = () if call.step == self.name else name_dependents(self._context.backups, [found])
        if named:
            raise HasDependents(call.operation.backup_id, named)
        ids = {found.id: call.handle.source.id}
        removal = self._context.backups.remove_backups(ids, call.operation.backup_id)
        if removal.pending:
            return call.receipt.report(ProgressState.RUNNING)
        if removal.leftovers:
            return removal_failure(removal.leftovers)
        return call.receipt.report(ProgressState.SUCCEEDED)

    def status(self, call: CinderCall) -> Progress:
        """Return how far the removal is."""
        begun = call.step == self.name
        found = self.load_own_backup(call)
        if found.state is NativeBackupState.DELETING:
            return Progress(ProgressState.RUNNING, leftovers=(found.to_leftover(),))
        if begun and found.state is NativeBackupState.FAILED:
            return removal_failure([found.to_leftover()])
        return Progress(ProgressState.READY if begun else ProgressState.UNKNOWN)

    def revert(self, call: CinderCall) -> Progress:
        """Wait for the end of a removal that goes on; nothing else was made."""
        try:
            found = self.load_own_backup(call)
        except InvalidInput:
            # What cannot be read was refused before anything was begun.
            return Progress(ProgressState.SUCCEEDED)
        if found.state is NativeBackupState.DELETING:
            return Progress(ProgressState.RUNNING, leftovers=(found.to_leftover(),))
        return Progress(ProgressState.SUCCEEDED)
