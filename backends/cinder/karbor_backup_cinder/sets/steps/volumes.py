"""The step of a restore that makes the volumes to which Cinder restores."""

import attrs

from karbor_backup_cinder.sets.context import SetCall, SetStep
from karbor_backup_cinder.volumes import RESTORING
from karbor_backup_core import InvalidInput, Progress, ProgressState
from karbor_backup_openstack.errors import Refused
from karbor_backup_openstack.restore.results import check_pending
from karbor_backup_openstack.restore.state import RestoreState
from karbor_backup_openstack.restore.volumes import prepare_target_volume


class NewVolumes(SetStep):
    """Makes a volume for each that is in the backup."""

    name = "volumes"

    def execute(self, call: SetCall) -> Progress:
        """Make those that are not there, and wait for them."""
        context, handle = self.restore_context(call), call.handle
        devices = {a.volume: a.device for server in handle.servers for a in server.attachments}
        for volume in handle.volumes:
            try:
                status = prepare_target_volume(context, volume, devices.get(volume.id, ""))
            except Refused as error:
                raise InvalidInput(str(error)) from error
            if status.failure:
                return call.receipt.report(ProgressState.FAILED, reason=status.failure)
        receipt = attrs.evolve(call.receipt, restored=context.state.to_document())
        # A call whose answer was lost may have begun restores: the next step looks at them.
        begun = any(volume.status == RESTORING for volume in context.created_volumes())
        if context.state.waiting and not begun:
            return receipt.report(ProgressState.RUNNING)
        return receipt.report(ProgressState.SUCCEEDED)

    def status(self, call: SetCall) -> Progress:
        """Return whether Cinder still makes them."""
        if call.step != self.name or call.operation.outcome is not None:
            return Progress(ProgressState.UNKNOWN)
        state = RestoreState.from_document(call.receipt.restored)
        return check_pending(self._context.resources, state)
