"""The step of a protect in which Cinder works on backups of its own."""

from karbor_backup_core import Progress, ProgressState
from karbor_backup_freezer.model.items import Mode
from karbor_backup_freezer.workflows.context import get_discovery_result
from karbor_backup_freezer.workflows.step import FreezerCall, FreezerStep
from karbor_backup_openstack.native_backups import NativeBackupState, name_busy_backups


class NativeBackups(FreezerStep):
    """Waits for Cinder's own backups: the job ends when Cinder has taken the request."""

    name = "native"

    def execute(self, call: FreezerCall) -> Progress:
        """Wait where the protect has any of them; the next step looks what became of them."""
        items = get_discovery_result(call.operation).items
        if call.step == self.name or not any(item.mode is Mode.NATIVE for item in items):
            return call.receipt.succeeded_progress()
        return call.receipt.running_progress()

    def status(self, call: FreezerCall) -> Progress:
        """Return whether Cinder still writes them."""
        if call.step != self.name or call.operation.outcome is not None:
            return Progress(ProgressState.UNKNOWN)
        ids = {native for _, _, native in call.receipt.records if native}
        busy = name_busy_backups(self._context.native_backups, ids, NativeBackupState.RUNNING)
        state = ProgressState.RUNNING if busy else ProgressState.READY
        return Progress(state, leftovers=busy)
