"""The step of a delete in which Cinder removes backups of its own."""

from karbor_backup_core import Progress, ProgressState
from karbor_backup_freezer.workflows.step import FreezerCall, FreezerStep
from karbor_backup_openstack.native_backups import NativeBackupState, removal_failure


class NativeRemoval(FreezerStep):
    """Has Cinder remove its own backups of this delete's backup, those only."""

    name = "native"

    def execute(self, call: FreezerCall) -> Progress:
        """Ask for their removal, and wait until they are gone."""
        handle = self._context.load_handle(call.operation)
        natives = {stored.native: stored.item.id for stored in handle.items if stored.native}
        removal = self._context.native_backups.remove_backups(natives, call.operation.backup_id)
        if removal.pending:
            return call.receipt.running_progress()
        if removal.leftovers:
            return removal_failure(removal.leftovers)
        return call.receipt.succeeded_progress()

    def status(self, call: FreezerCall) -> Progress:
        """Return whether Cinder still removes them; one that it could not remove is a failure."""
        if call.step != self.name or call.operation.outcome is not None:
            return Progress(ProgressState.UNKNOWN)
        natives = {stored.native for stored in self._context.load_handle(call.operation).items}
        found = self._context.native_backups.get_backups(natives - {""}).values()
        busy, failed = (
            tuple(each.to_leftover() for each in found if each.state is state)
            for state in (NativeBackupState.DELETING, NativeBackupState.FAILED)
        )
        if busy:
            return Progress(ProgressState.RUNNING, leftovers=busy)
        # Asked again it would fail again, at each poll until the deadline.
        if failed:
            return removal_failure(failed)
        return Progress(ProgressState.READY)
