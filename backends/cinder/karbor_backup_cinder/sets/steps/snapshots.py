"""The step of a protect that takes snapshots of all volumes, before the first copy begins."""

from karbor_backup_cinder.names import cinder_backup_name
from karbor_backup_cinder.sets.context import SetCall
from karbor_backup_cinder.sets.snapshots import VolumeSnapshots
from karbor_backup_cinder.sets.steps.preparation import Preparation
from karbor_backup_core import Progress, ProgressState
from karbor_backup_openstack.resources import ResourceKind, is_busy


class SnapshotSet(Preparation):
    """Has Cinder take a snapshot of each volume."""

    name = "snapshots"

    def execute(self, call: SetCall) -> Progress:
        """Ask for all of them, one right after the other; then look at them."""
        if not call.receipt.volumes:
            return call.receipt.report(ProgressState.SUCCEEDED)
        if call.step != self.name:
            self._request(call)
            return call.receipt.report(ProgressState.RUNNING)
        return self._finish(call)

    @property
    def _made(self) -> VolumeSnapshots:
        """The snapshots, which nobody needs after the copies."""
        return self._context.snapshots

    def _request(self, call: SetCall) -> None:
        """Ask for what is not there.

        A volume that has its copy needs no snapshot any more: a call that comes late sees that.
        """
        operation, context = call.operation, self._context
        copied = context.backups.find_all_by_name(cinder_backup_name(operation))
        there = {*context.snapshots.find(operation), *copied}
        lacking = [volume for volume in call.receipt.volumes if volume.id not in there]
        context.snapshots.create(operation, lacking)

    def _finish(self, call: SetCall) -> Progress:
        found = self._context.snapshots.find(call.operation)
        if any(is_busy(ResourceKind.SNAPSHOT, snapshot) for snapshot in found.values()):
            return call.receipt.report(ProgressState.RUNNING)
        for snapshot in found.values():
            if snapshot.status != "available":
                reason = (
                    f"Cinder put the snapshot {snapshot.id} of volume {snapshot.volume_id} in "
                    f"state {snapshot.status}"
                )
                return call.receipt.report(ProgressState.FAILED, reason=reason)
        return call.receipt.report(ProgressState.SUCCEEDED)
