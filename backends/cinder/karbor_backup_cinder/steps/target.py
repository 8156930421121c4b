"""The first step of a restore: a volume to restore to, and whether it can come to its end."""

import attrs

from karbor_backup_cinder.context import CANNOT_STOP, CinderCall, CinderStep
from karbor_backup_cinder.targets import RestoreTarget, overwrites
from karbor_backup_cinder.volumes import RESTORING
from karbor_backup_core import InvalidInput, Leftover, Progress, ProgressState, Transient
from karbor_backup_openstack.errors import Refused
from karbor_backup_openstack.native_backups import NativeBackupState
from karbor_backup_openstack.resources import ResourceKind, is_busy


class TargetVolume(CinderStep):
    """Makes the new volume, or marks the one that is overwritten."""

    name = "target"

    def execute(self, call: CinderCall) -> Progress:
        """Have the volume; refuse what could not come to its end.

        Raises:
            InvalidInput: the backup cannot be restored, or not as asked.
        """
        if call.step == self.name:
            return self._check_new_volume(call)
        operation = call.operation
        if operation.options.get("volume_id") and not overwrites(operation):
            raise InvalidInput("volume_id: it is only taken with overwrite_volume")
        handle, target = call.handle, RestoreTarget(self._context, operation)
        known = [] if overwrites(operation) else target.list_new()
        if known:
            return self._report(call, known[0].id)
        self._require_restorable(call)
        try:
            if overwrites(operation):
                volume = target.claim(handle)
                receipt = attrs.evolve(call.receipt, volume=volume.id)
                return receipt.report(ProgressState.SUCCEEDED)
            return self._report(call, target.create(handle.source).id)
        except Refused as error:
            raise InvalidInput(str(error)) from error

    def status(self, call: CinderCall) -> Progress:
        """Return whether Cinder still makes the new volume."""
        operation, receipt = call.operation, call.receipt
        if overwrites(operation):
            return Progress(ProgressState.UNKNOWN)
        target = RestoreTarget(self._context, operation)
        noted = [target.look_up(call)] if receipt.volume else target.list_new()
        volume = next(iter(noted), None)
        if volume is None:
            return Progress(ProgressState.UNKNOWN)
        if is_busy(ResourceKind.VOLUME, volume):
            left = Leftover(ResourceKind.VOLUME, volume.id, f"it is in state {volume.status}")
            reason = CANNOT_STOP if operation.cancel_sent else ""
            return Progress(ProgressState.RUNNING, reason=reason, leftovers=(left,))
        return Progress(ProgressState.READY)

    def revert(self, call: CinderCall) -> Progress:
        """Remove every volume of the operation but the one that it has left.

        One that was overwritten stays, and is named with what has become of it.
        """
        operation = call.operation
        if overwrites(operation):
            return self._revert_overwritten(call)
        kept = call.receipt.volume if operation.work_succeeded else ""
        made = RestoreTarget(self._context, operation).list_new()
        unwanted = [volume for volume in made if volume.id != kept]
        removal = self._context.resources.remove_resources(ResourceKind.VOLUME, unwanted)
        if removal.pending:
            leftovers = (*removal.pending, *removal.leftovers)
            return Progress(ProgressState.RUNNING, leftovers=leftovers)
        return Progress(ProgressState.SUCCEEDED, leftovers=removal.leftovers)

    def _report(self, call: CinderCall, volume: str) -> Progress:
        return attrs.evolve(call.receipt, volume=volume).report(ProgressState.RUNNING)

    def _check_new_volume(self, call: CinderCall) -> Progress:
        """Return whether the new volume can be restored to."""
        receipt = call.receipt
        volume = RestoreTarget(self._context, call.operation).get(receipt.volume)
        if volume is None:
            reason = f"the new volume {receipt.volume} is gone"
            return receipt.report(ProgressState.FAILED, reason=reason)
        if volume.status == RESTORING:
            # A call whose answer was lost has begun the restore: the next step looks at it.
            return receipt.report(ProgressState.SUCCEEDED)
        if is_busy(ResourceKind.VOLUME, volume):
            return receipt.report(ProgressState.RUNNING)
        if volume.status != "available":
            reason = f"Cinder put the new volume {volume.id} in state {volume.status}"
            return receipt.report(ProgressState.FAILED, reason=reason)
        return receipt.report(ProgressState.SUCCEEDED)

    def _require_restorable(self, call: CinderCall) -> None:
        found = self.load_own_backup(call)
        if found.state is NativeBackupState.GONE:
            raise InvalidInput(f"backup {call.backup.id}: {found.reason}")
        if found.status == "restoring":
            raise Transient(f"Cinder's backup {found.id} is being restored by somebody else")
        if found.status != "available":
            state = found.reason or f"Cinder calls it {found.status!r}"
            raise InvalidInput(f"backup {call.backup.id} cannot be restored: {state}")

    def _revert_overwritten(self, call: CinderCall) -> Progress:
        operation, receipt = call.operation, call.receipt
        if operation.work_succeeded or not receipt.volume:
            return Progress(ProgressState.SUCCEEDED)
        volume = RestoreTarget(self._context, operation).get(receipt.volume)
        if volume is None:
            return Progress(ProgressState.SUCCEEDED)
        note = (
            f"its restore over what it held did not succeed, and it is in state {volume.status}: "
            "its data may be the old, the backup's or a mixture; restore it again"
        )
        left = Leftover(ResourceKind.VOLUME, volume.id, note)
        busy = volume.status == RESTORING
        state = ProgressState.RUNNING if busy else ProgressState.SUCCEEDED
        return Progress(state, leftovers=(left,))
