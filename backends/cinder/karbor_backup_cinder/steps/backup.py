"""The step of a protect: Cinder makes a backup."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import attrs

from karbor_backup_cinder.chains import choose_parent
from karbor_backup_cinder.context import CANNOT_STOP, CinderCall, CinderStep, find_own_backups
from karbor_backup_cinder.model import Handle, Receipt, SourceVolume
from karbor_backup_cinder.names import cinder_backup_name
from karbor_backup_cinder.volumes import encryption_problem
from karbor_backup_core import (
    BackendError,
    Check,
    InvalidInput,
    Leftover,
    Operation,
    Progress,
    ProgressState,
)
from karbor_backup_openstack.discovery.states import project_problem
from karbor_backup_openstack.errors import Refused, translate_errors
from karbor_backup_openstack.native_backups import LEFTOVER_KIND, NativeBackup, NativeBackupState
from karbor_backup_openstack.problems import raise_for_problems
from karbor_backup_openstack.quotas import QuotaRequirement, cinder_quota_problems
from karbor_backup_openstack.volumes import find_volume, volume_state_problem

if TYPE_CHECKING:
    from openstack.block_storage.v3.volume import Volume

STORAGE: Final = "cinder"
"""The name of the storage of every backup: wherever Cinder keeps its backups."""

_BACKING_UP: Final = "backing-up"
"""The state of a volume of which Cinder makes a backup; it makes one of a volume at a time."""


class BackupCreation(CinderStep):
    """Has Cinder make the backup, and waits for it."""

    name = "backup"

    def execute(self, call: CinderCall) -> Progress:
        """Begin the backup, unless Cinder has one of the operation's name; then look at it.

        It is looked for in the first attempt too: Cinder refuses no request for coming late.
        """
        if call.receipt.backup:
            return self._finish(call)
        operation = call.operation
        known = find_own_backups(self._context, operation, cinder_backup_name(operation))
        if known:
            return self._resume(call, known[0])
        try:
            return self._begin(call)
        except Refused as error:
            raise InvalidInput(str(error)) from error

    def status(self, call: CinderCall) -> Progress:
        """Return how the backup stands in Cinder."""
        found = self._find(call)
        if found is None and call.step == self.name and call.operation.outcome is None:
            return self._wait_for_turn(call)
        if found is None or found.state is NativeBackupState.GONE:
            return Progress(ProgressState.UNKNOWN)
        if found.state in (NativeBackupState.RUNNING, NativeBackupState.DELETING):
            left = Leftover(LEFTOVER_KIND, found.id, f"Cinder calls it {found.status!r}")
            reason = CANNOT_STOP if call.operation.cancel_sent else ""
            return Progress(ProgressState.RUNNING, reason=reason, leftovers=(left,))
        if found.state is NativeBackupState.FAILED:
            return Progress(ProgressState.FAILED, reason=found.reason)
        return Progress(ProgressState.READY)

    def cancel(self, call: CinderCall) -> bool:
        """Return whether it still waits for its turn: what Cinder has begun cannot be stopped."""
        return call.step == self.name and self._find(call) is None

    def revert(self, call: CinderCall) -> Progress:
        """Remove every backup of the operation's name but the one that it has left."""
        operation = call.operation
        kept = call.receipt.backup if operation.work_succeeded else ""
        ids = set(find_own_backups(self._context, operation, cinder_backup_name(operation)))
        if call.receipt.backup:
            ids.add(call.receipt.backup)
        # One that Cinder failed to remove is as broken as one that it failed to make: only the
        # receipt tells them apart, so that it is not asked for for ever.
        stuck = self._list_stuck(sorted(ids - {kept})) if call.receipt.removing else ()
        unwanted = sorted(ids - {kept} - {left.id for left in stuck})
        removal = self._context.backups.remove_backups(
            dict.fromkeys(unwanted, operation.resource.id), operation.id
        )
        leftovers = (*removal.pending, *removal.leftovers, *stuck)
        if removal.pending:
            receipt = attrs.evolve(call.receipt, removing=True)
            return receipt.report(ProgressState.RUNNING, leftovers=leftovers)
        return Progress(ProgressState.SUCCEEDED, leftovers=leftovers)

    def _list_stuck(self, ids: Sequence[str]) -> tuple[Leftover, ...]:
        found = [self._context.backups.get_backup(identifier) for identifier in ids]
        return tuple(each.to_leftover() for each in found if each.state is NativeBackupState.FAILED)

    def _wait_for_turn(self, call: CinderCall) -> Progress:
        """Return whether another backup of the volume still keeps this one from being begun."""
        if call.operation.cancel_sent:
            return Progress(ProgressState.CANCELLED)
        volume = find_volume(self._context.services, call.operation.resource.id)
        if volume.status != _BACKING_UP:
            return Progress(ProgressState.READY)
        return Progress(ProgressState.RUNNING, reason=_turn_reason(volume))

    def _find(self, call: CinderCall) -> NativeBackup | None:
        if call.receipt.backup:
            return self.look_up(call, call.receipt.backup)
        operation = call.operation
        known = find_own_backups(self._context, operation, cinder_backup_name(operation))
        return self.look_up(call, known[0]) if known else None

    def _resume(self, call: CinderCall, identifier: str) -> Progress:
        """Return the progress of a backup whose reply was lost."""
        operation = call.operation
        try:
            source = SourceVolume.from_volume(
                find_volume(self._context.services, operation.resource.id)
            )
        except InvalidInput:
            # The volume has gone meanwhile. What Cinder knows of its backup is enough.
            size = self._context.backups.get_backup(identifier).size
            source = SourceVolume(id=operation.resource.id, size=size // 2**30)
        receipt = attrs.evolve(call.receipt, backup=identifier, source=source)
        return receipt.report(ProgressState.RUNNING)

    def _begin(self, call: CinderCall) -> Progress:
        operation, context = call.operation, self._context
        options = operation.options
        volume = find_volume(context.services, operation.resource.id)
        snapshot = self._load_snapshot(operation)
        if volume.status == _BACKING_UP and snapshot is None:
            return call.receipt.report(ProgressState.RUNNING, reason=_turn_reason(volume))
        raise_for_problems(
            [
                project_problem("volume", volume, context.services.project),
                _volume_problem(volume, operation, from_snapshot=snapshot is not None),
            ]
        )
        need = QuotaRequirement(backups=1, backup_gigabytes=volume.size)
        raise_for_problems(cinder_quota_problems(context.services, need))
        incremental = options.get("incremental", "never") != "never"
        others = context.backups.list_of_volume(volume.id) if incremental else ()
        parent = choose_parent(others, options, snapshot)
        asked = {
            "volume_id": volume.id,
            "name": cinder_backup_name(operation),
            "is_incremental": parent is not None,
            "force": bool(options.get("force", False)),
        }
        for option in ("description", "snapshot_id", "container", "availability_zone"):
            if options.get(option):
                asked[option] = options[option]
        with translate_errors(f"Cinder for a backup of volume {volume.id}"):
            made: Any = context.services.sdk.block_storage.create_backup(**asked)
        receipt = Receipt(
            backup=made.id,
            source=SourceVolume.from_volume(volume),
            parent="" if parent is None else parent.id,
        )
        return receipt.report(ProgressState.RUNNING)

    def _load_snapshot(self, operation: Operation) -> Any | None:
        """Return the snapshot that is to be backed up, None for the volume itself."""
        identifier = operation.options.get("snapshot_id")
        if not identifier:
            return None
        with translate_errors(f"Cinder for snapshot {identifier}"):
            snapshot: Any = self._context.services.sdk.block_storage.get_snapshot(identifier)
        if snapshot.volume_id != operation.resource.id:
            raise InvalidInput(
                f"snapshot_id: snapshot {identifier} is of volume {snapshot.volume_id}"
            )
        if snapshot.status != "available":
            raise InvalidInput(f"snapshot_id: snapshot {identifier} is in state {snapshot.status}")
        return snapshot

    def _finish(self, call: CinderCall) -> Progress:
        """Return the result of a backup that Cinder has ended."""
        operation, receipt = call.operation, call.receipt
        found = self._context.backups.get_backup(receipt.backup)
        if receipt.source is None or not found.belongs_to(operation.id, operation.resource.id):
            raise BackendError(
                f"the receipt is damaged: Cinder's backup {receipt.backup} ({found.name!r}) is not "
                "the operation's"
            )
        if found.state is NativeBackupState.RUNNING:
            return receipt.report(ProgressState.RUNNING)
        if found.state is not NativeBackupState.AVAILABLE:
            return receipt.report(ProgressState.FAILED, reason=found.reason)
        handle = Handle(backup=found.id, source=receipt.source)
        return receipt.report(
            ProgressState.SUCCEEDED,
            handle=handle.to_document(operation.id),
            storage=STORAGE,
            checks=_list_checks(found, receipt.parent),
        )


def _turn_reason(volume: "Volume") -> str:
    return f"Cinder makes another backup of volume {volume.id}, and one at a time"


def _volume_problem(volume: "Volume", operation: Operation, *, from_snapshot: bool) -> str:
    """Describe why Cinder would not back a volume up as asked; empty if it would."""
    if problem := encryption_problem(volume):
        return problem
    if from_snapshot:
        return ""
    if volume.status == "in-use" and not operation.options.get("force", False):
        return (
            f"volume {volume.id} ({volume.name}) is in use: give 'force' for its data as it would "
            "be after a power failure, or 'snapshot_id'"
        )
    return volume_state_problem(volume)


def _list_checks(found: NativeBackup, parent: str) -> tuple[Check, ...]:
    made = Check("backup available", verified=True)
    if not found.incremental:
        return (made,)
    based = f"probably on {parent}" if parent else "on the latest available one before it"
    reason = f"the backup is incremental, based {based}: Cinder does not tell on which"
    return (made, Check("parent", verified=False, reason=reason))
