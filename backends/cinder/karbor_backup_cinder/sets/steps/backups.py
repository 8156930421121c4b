"""The step of a protect in which Cinder copies the snapshots of all volumes."""

from collections.abc import Collection
from typing import Any

import attrs

from karbor_backup_cinder.chains import choose_parent
from karbor_backup_cinder.context import CANNOT_STOP
from karbor_backup_cinder.names import cinder_backup_name
from karbor_backup_cinder.sets.context import SetCall, SetStep
from karbor_backup_cinder.sets.members import build_handle, list_members
from karbor_backup_cinder.sets.model import SetReceipt, StoredVolume
from karbor_backup_cinder.steps.backup import STORAGE
from karbor_backup_core import (
    BackendError,
    Check,
    Leftover,
    Operation,
    Part,
    Progress,
    ProgressState,
    Result,
)
from karbor_backup_openstack.errors import translate_errors
from karbor_backup_openstack.native_backups import NativeBackup, NativeBackupState


class BackupSet(SetStep):
    """Has Cinder make a backup of each snapshot, and waits for all of them."""

    name = "backups"

    def execute(self, call: SetCall) -> Progress:
        """Begin those that Cinder does not have yet; at the end look at all."""
        if not all(volume.backup for volume in call.receipt.volumes):
            return self._begin(call).report(ProgressState.RUNNING)
        return self._finish(call)

    def status(self, call: SetCall) -> Progress:
        """Return how the backups stand in Cinder."""
        operation, ids = call.operation, call.receipt.backups
        if not ids:
            return Progress(ProgressState.UNKNOWN)
        found = call.look_up(self._context.backups, ids)
        busy = _name_busy(found)
        if busy:
            reason = CANNOT_STOP if operation.cancel_sent else ""
            done = len(found) - len(busy)
            return Progress(
                ProgressState.RUNNING,
                done=done,
                total=len(found),
                unit="resources",
                reason=reason,
                leftovers=busy,
            )
        return Progress(ProgressState.READY)

    def revert(self, call: SetCall) -> Progress:
        """Remove every backup of the operation, unless the protect has succeeded."""
        operation, receipt = call.operation, call.receipt
        known = self._context.backups.find_all_by_name(cinder_backup_name(operation))
        kept = set(receipt.backups) if operation.work_succeeded else set()
        made = {id_: volume for volume, ids in known.items() for id_ in ids if id_ not in kept}
        # One that Cinder failed to remove is as broken as one that it failed to make: only the
        # receipt tells them apart, so that it is not asked for for ever.
        stuck = self._list_stuck(made) if receipt.removing else ()
        for left in stuck:
            del made[left.id]
        removal = self._context.backups.remove_backups(made, operation.id)
        leftovers = (*removal.pending, *removal.leftovers, *stuck)
        if removal.pending:
            noted = attrs.evolve(receipt, removing=True)
            return noted.report(ProgressState.RUNNING, leftovers=leftovers)
        return Progress(ProgressState.SUCCEEDED, leftovers=leftovers)

    def _begin(self, call: SetCall) -> SetReceipt:
        operation, receipt = call.operation, call.receipt
        known = self._context.backups.find_all_by_name(cinder_backup_name(operation))
        snapshots = self._context.snapshots.find(operation)
        volumes = []
        for volume in receipt.volumes:
            if volume.id in known:
                volumes.append(attrs.evolve(volume, backup=known[volume.id][0]))
            elif volume.id in snapshots:
                volumes.append(self._create(operation, volume, snapshots[volume.id]))
            else:
                raise BackendError(f"the snapshot of volume {volume.id} is gone")
        return attrs.evolve(receipt, volumes=tuple(volumes))

    def _create(self, operation: Operation, volume: StoredVolume, snapshot: Any) -> StoredVolume:
        options = operation.options
        incremental = options.get("incremental", "never") != "never"
        others = self._context.backups.list_of_volume(volume.id) if incremental else ()
        parent = choose_parent(others, options, snapshot)
        asked = {
            "volume_id": volume.id,
            "snapshot_id": snapshot.id,
            "name": cinder_backup_name(operation),
            "is_incremental": parent is not None,
            # It says that the volume may be in use; what is copied is the snapshot.
            "force": True,
        }
        for option in ("description", "container", "availability_zone"):
            if options.get(option):
                asked[option] = options[option]
        with translate_errors(f"Cinder for a backup of volume {volume.id}"):
            made: Any = self._context.services.sdk.block_storage.create_backup(**asked)
        return attrs.evolve(volume, backup=made.id, parent="" if parent is None else parent.id)

    def _finish(self, call: SetCall) -> Progress:
        operation, receipt = call.operation, call.receipt
        found = call.look_up(self._context.backups, receipt.backups)
        if _name_busy(found):
            return receipt.report(ProgressState.RUNNING)
        reasons = {
            volume.id: _failure(backup, volume, operation)
            for volume, backup in zip(receipt.volumes, found, strict=True)
        }
        if any(reasons.values()):
            return _failure_progress(receipt, reasons)
        handle = build_handle(receipt)
        return receipt.report(
            ProgressState.SUCCEEDED,
            handle=handle.to_document(operation.id),
            storage=STORAGE,
            members=tuple(list_members(operation, handle)),
            checks=(*_list_checks(receipt, found), *receipt.checks),
        )

    def _list_stuck(self, ids: Collection[str]) -> tuple[Leftover, ...]:
        found = self._context.backups.get_backups(ids).values() if ids else ()
        return tuple(each.to_leftover() for each in found if each.state is NativeBackupState.FAILED)


def _name_busy(found: Collection[NativeBackup]) -> tuple[Leftover, ...]:
    working = (NativeBackupState.RUNNING, NativeBackupState.DELETING)
    return tuple(each.to_leftover() for each in found if each.state in working)


def _failure(backup: NativeBackup, volume: StoredVolume, operation: Operation) -> str:
    """Return why a backup is no good, empty if it is whole."""
    if backup.state is not NativeBackupState.AVAILABLE:
        return backup.reason or f"Cinder calls backup {backup.id} {backup.status!r}"
    if not backup.belongs_to(operation.id, volume.id):
        return f"Cinder's backup {backup.id} ({backup.name!r}) is not the operation's"
    return ""


def _failure_progress(receipt: SetReceipt, reasons: dict[str, str]) -> Progress:
    failed = {volume: reason for volume, reason in reasons.items() if reason}
    volume, first = next(iter(failed.items()))
    parts = tuple(
        Part(one.resource, Result.FAILED if reasons[one.id] else Result.SUCCEEDED, reasons[one.id])
        for one in receipt.volumes
    )
    reason = f"{len(failed)} of {len(reasons)} volumes were not backed up: volume {volume}: {first}"
    return receipt.report(ProgressState.FAILED, reason=reason, parts=parts)


def _list_checks(receipt: SetReceipt, found: Collection[NativeBackup]) -> tuple[Check, ...]:
    if not receipt.volumes and not receipt.servers:
        return (Check("nothing to store", verified=True),)
    chained = [
        f"{volume.id} ({f'probably on {volume.parent}' if volume.parent else 'on an unknown one'})"
        for volume, backup in zip(receipt.volumes, found, strict=True)
        if backup.incremental
    ]
    made = Check("backups available", verified=True)
    if not chained:
        return (made,)
    reason = (
        f"the backups of volumes {', '.join(chained)} are incremental: Cinder does not tell on "
        "which they are based"
    )
    return (made, Check("parents", verified=False, reason=reason))
