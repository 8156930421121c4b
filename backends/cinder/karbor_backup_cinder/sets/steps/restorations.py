"""The step of a restore in which Cinder writes the backups to the new volumes."""

from collections.abc import Iterator
from typing import Any

import attrs

from karbor_backup_cinder.context import CANNOT_STOP
from karbor_backup_cinder.names import is_complete
from karbor_backup_cinder.sets.context import SetCall, SetStep
from karbor_backup_cinder.sets.model import StoredVolume
from karbor_backup_cinder.volumes import RESTORING
from karbor_backup_core import InvalidInput, Leftover, Progress, ProgressState
from karbor_backup_openstack.errors import translate_errors
from karbor_backup_openstack.resources import ResourceKind


class Restorations(SetStep):
    """Has Cinder restore all backups at once, and waits until it is at none of them any more.

    Whether a volume holds its data is seen by the volume itself, in the next step.
    """

    name = "restorations"

    def execute(self, call: SetCall) -> Progress:
        """Begin what was not begun, unless the volume holds its data.

        What is begun twice, since a reply was lost, writes the same bytes once more.
        """
        begun = set(call.receipt.begun)
        for source, volume in self._list_targets(call):
            if source.id in begun or volume is None or volume.status != "available":
                continue
            if not is_complete(volume, call.operation):
                self._begin(source, volume.id)
        receipt = attrs.evolve(
            call.receipt, begun=tuple(volume.id for volume in call.handle.volumes)
        )
        if len(begun) < len(receipt.begun):
            return receipt.report(ProgressState.RUNNING)
        if self._name_busy(call):
            return receipt.report(ProgressState.RUNNING)
        return receipt.report(ProgressState.SUCCEEDED)

    def status(self, call: SetCall) -> Progress:
        """Return whether Cinder still restores."""
        if call.step != self.name or call.operation.outcome is not None:
            return Progress(ProgressState.UNKNOWN)
        busy = self._name_busy(call)
        if not busy:
            return Progress(ProgressState.READY)
        total = len(call.handle.volumes)
        return Progress(
            ProgressState.RUNNING,
            done=total - len(busy),
            total=total,
            unit="resources",
            reason=CANNOT_STOP if call.operation.cancel_sent else "",
            leftovers=busy,
        )

    def _begin(self, source: StoredVolume, target: str) -> None:
        try:
            with translate_errors(f"Cinder to restore backup {source.backup} to volume {target}"):
                # The second argument has another name in each half of openstacksdk's releases.
                self._context.services.sdk.block_storage.restore_backup(source.backup, target)
        except InvalidInput as error:
            raise InvalidInput(f"volume {source.id}: {error}") from error

    def _name_busy(self, call: SetCall) -> tuple[Leftover, ...]:
        return tuple(
            Leftover(ResourceKind.VOLUME, volume.id, f"it is in state {volume.status}")
            for _, volume in self._list_targets(call)
            if volume is not None and volume.status == RESTORING
        )

    def _list_targets(self, call: SetCall) -> Iterator[tuple[StoredVolume, Any | None]]:
        """Yield each volume of the backup with the one that is made of it, None if that is gone."""
        context = self.restore_context(call)
        for source in call.handle.volumes:
            identifier = context.state.volumes.get(source.id)
            found = identifier and context.resources.get(ResourceKind.VOLUME, identifier)
            yield source, found or None
