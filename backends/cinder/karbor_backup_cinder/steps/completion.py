"""The last step of a restore: the volume gets the name and the properties of its source."""

from typing import Any

from karbor_backup_cinder.context import CinderCall, CinderStep
from karbor_backup_cinder.model import SourceVolume, to_resource
from karbor_backup_cinder.names import COMPLETE, STATE_KEY, is_complete
from karbor_backup_cinder.targets import RestoreTarget, overwrites
from karbor_backup_core import (
    BackendError,
    Check,
    Operation,
    Progress,
    ProgressState,
    Transient,
)
from karbor_backup_openstack.errors import NotFound, translate_errors
from karbor_backup_openstack.metadata import NAME_LIMIT, operation_metadata, user_metadata
from karbor_backup_openstack.volume_actions import VolumeActions


class Completion(CinderStep):
    """Names the volume, and marks it as restored."""

    name = "completion"

    def execute(self, call: CinderCall) -> Progress:
        """Change what differs; what Cinder refuses is told, and no failure."""
        operation, receipt = call.operation, call.receipt
        volume = RestoreTarget(self._context, operation).get(receipt.volume)
        if volume is None:
            reason = f"volume {receipt.volume}, to which the backup was restored, is gone"
            return receipt.report(ProgressState.FAILED, reason=reason)
        source = call.handle.source
        checks = () if overwrites(operation) else self._set_bootable(volume, source)
        if not is_complete(volume, operation):
            volume = self._describe(operation, volume, source)
        resource = to_resource(operation.resource.type, volume)
        return receipt.report(ProgressState.SUCCEEDED, resources=(resource,), checks=checks)

    def _describe(self, operation: Operation, volume: Any, source: SourceVolume) -> Any:
        """Set name and marks in one request, before which the volume is found by its old name."""
        changes: dict[str, Any] = {
            "metadata": {
                **user_metadata(volume.metadata),
                **operation_metadata(operation, source.id),
                STATE_KEY: COMPLETE,
            }
        }
        if not overwrites(operation):
            name = (operation.options.get("restore_name") or source.name).strip()
            changes |= {"name": name[:NAME_LIMIT], "description": source.description}
        with translate_errors(f"Cinder to describe volume {volume.id}"):
            changed: Any = self._context.services.sdk.block_storage.update_volume(
                volume.id, **changes
            )
        return changed

    def _set_bootable(self, volume: Any, source: SourceVolume) -> tuple[Check, ...]:
        if bool(volume.is_bootable) is source.bootable:
            return ()
        actions = VolumeActions(self._context.services, volume.id)
        try:
            actions.set_bootable(bootable=source.bootable)
        except Transient:
            raise
        except (BackendError, NotFound) as error:
            return (Check("bootable", verified=False, reason=str(error)),)
        return ()
