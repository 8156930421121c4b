"""The step of a delete: Cinder removes the backups of a set, Glance its images, and no others."""

import attrs

from karbor_backup_cinder.chains import name_dependents
from karbor_backup_cinder.sets.context import SetCall, SetStep
from karbor_backup_core import HasDependents, InvalidInput, Progress, ProgressState
from karbor_backup_openstack.native_backups import NativeBackupState, removal_failure


class SetRemoval(SetStep):
    """Removes all that a backup of a set consists of, and waits until it is gone."""

    name = "removal"

    def execute(self, call: SetCall) -> Progress:
        """Ask for the removal; refuse it if others are based on some since it was planned.

        Raises:
            HasDependents: others are based on some, which are named.
        """
        found = self.load_own_backups(call)
        named = () if call.step == self.name else name_dependents(self._context.backups, found)
        if named:
            raise HasDependents(call.operation.backup_id, named)
        backup_id, handle = call.operation.backup_id, call.handle
        removal = self._context.backups.remove_backups(handle.backups, backup_id)
        images = self._context.images.remove_kept(backup_id, handle.images)
        if removal.pending or images.pending:
            return attrs.evolve(call.receipt, removing=True).report(ProgressState.RUNNING)
        leftovers = (*removal.leftovers, *images.leftovers)
        if leftovers:
            return removal_failure(leftovers)
        return call.receipt.report(ProgressState.SUCCEEDED)

    def status(self, call: SetCall) -> Progress:
        """Return how far the removal is."""
        begun = call.step == self.name
        found = self.load_own_backups(call)
        busy = [each.to_leftover() for each in found if each.state is NativeBackupState.DELETING]
        if busy:
            return Progress(ProgressState.RUNNING, leftovers=tuple(busy))
        failed = [each.to_leftover() for each in found if each.state is NativeBackupState.FAILED]
        if begun and failed:
            return removal_failure(failed)
        return Progress(ProgressState.READY if begun else ProgressState.UNKNOWN)

    def revert(self, call: SetCall) -> Progress:
        """Wait for the end of a removal that goes on; nothing else was made."""
        try:
            found = self.load_own_backups(call)
        except InvalidInput:
            # What cannot be read was refused before anything was begun.
            return Progress(ProgressState.SUCCEEDED)
        busy = [each.to_leftover() for each in found if each.state is NativeBackupState.DELETING]
        state = ProgressState.RUNNING if busy else ProgressState.SUCCEEDED
        return Progress(state, leftovers=tuple(busy))
