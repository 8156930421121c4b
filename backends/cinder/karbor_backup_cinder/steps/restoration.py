"""The step of a restore in which Cinder writes the backup to the volume."""

from typing import Any

from karbor_backup_cinder.context import CANNOT_STOP, CinderCall, CinderStep
from karbor_backup_cinder.names import is_complete
from karbor_backup_cinder.targets import RestoreTarget
from karbor_backup_cinder.volumes import RESTORING
from karbor_backup_core import InvalidInput, Leftover, Progress, ProgressState, Transient
from karbor_backup_openstack.errors import translate_errors
from karbor_backup_openstack.resources import ResourceKind


class Restoration(CinderStep):
    """Has Cinder restore the backup, and looks at the volume.

    After cinder-backup was restarted, an interrupted restore leaves the backup in state
    ``available`` and the volume in ``error_restoring`` (Cinder 29): so the volume tells.
    """

    name = "restoration"

    def execute(self, call: CinderCall) -> Progress:
        """Begin the restore, unless Cinder is at it or has completed it."""
        receipt = call.receipt
        volume = RestoreTarget(self._context, call.operation).get(receipt.volume)
        if volume is None:
            reason = f"volume {receipt.volume}, to which the backup is restored, is gone"
            return receipt.report(ProgressState.FAILED, reason=reason)
        if volume.status == RESTORING:
            return receipt.report(ProgressState.RUNNING)
        if volume.status != "available":
            return receipt.report(ProgressState.FAILED, reason=_failure_reason(volume))
        if call.step == self.name or is_complete(volume, call.operation):
            return receipt.report(ProgressState.SUCCEEDED)
        self._begin(call, volume)
        return receipt.report(ProgressState.RUNNING)

    def status(self, call: CinderCall) -> Progress:
        """Return how the volume stands."""
        if not call.receipt.volume:
            return Progress(ProgressState.UNKNOWN)
        volume = RestoreTarget(self._context, call.operation).look_up(call)
        if volume is None:
            return Progress(ProgressState.UNKNOWN)
        if volume.status == RESTORING:
            left = Leftover(ResourceKind.VOLUME, volume.id, f"it is in state {volume.status}")
            reason = CANNOT_STOP if call.operation.cancel_sent else ""
            return Progress(ProgressState.RUNNING, reason=reason, leftovers=(left,))
        if call.step != self.name:
            return Progress(ProgressState.UNKNOWN)
        if volume.status != "available":
            return Progress(ProgressState.FAILED, reason=_failure_reason(volume))
        return Progress(ProgressState.READY)

    def _begin(self, call: CinderCall, volume: Any) -> None:
        backup = self.load_own_backup(call)
        if backup.status == "restoring":
            raise Transient(f"Cinder's backup {backup.id} is being restored to another volume")
        try:
            with translate_errors(f"Cinder to restore backup {backup.id} to volume {volume.id}"):
                # The second argument has another name in each half of openstacksdk's releases.
                self._context.services.sdk.block_storage.restore_backup(backup.id, volume.id)
        except InvalidInput as error:
            raise InvalidInput(f"backup {call.backup.id}: {error}") from error


def _failure_reason(volume: Any) -> str:
    return (
        f"Cinder put volume {volume.id} in state {volume.status}: it holds no whole copy of the "
        "backup; cinder-backup's log has the reason"
    )
