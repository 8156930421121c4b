"""Verify: what Freezer, the storage and Cinder say of a backup now; nothing is restored."""

from collections.abc import Mapping

from karbor_backup_core import Check, Progress, ProgressState
from karbor_backup_freezer.agent.actions import native_container
from karbor_backup_freezer.agent.compatibility import restorable_check
from karbor_backup_freezer.api.client import Document
from karbor_backup_freezer.api.records import RECORD_EXISTS_CHECK, record_metadata
from karbor_backup_freezer.inspection.archive_reads import ReadInProgress
from karbor_backup_freezer.inspection.assessment import assess
from karbor_backup_freezer.model.handle import Handle
from karbor_backup_freezer.model.items import DiscoveryResult, Mode, StoredItem
from karbor_backup_freezer.model.modes import MODE_SELECTIONS
from karbor_backup_freezer.workflows import results
from karbor_backup_freezer.workflows.step import FreezerCall, FreezerStep

RECORD_MATCHES_CHECK = "record matches"
"""The name of the check whether Freezer's record says what it said at first."""


class Verification(FreezerStep):
    """Looks whether a backup is still what it was when it was made."""

    name = "verify"

    def execute(self, call: FreezerCall) -> Progress:
        """Look at Freezer's records, the stored data and Cinder.

        Raises:
            InvalidInput: the handle cannot be read, or the storage is not configured.
            Transient: a repeat may help.
            BackendError: Freezer, the storage or Cinder refuses to tell.
        """
        operation = call.operation
        backup, handle, storage = self._context.load_source(operation)
        if not handle.items:
            empty = Check("nothing to store", verified=True)
            return Progress(ProgressState.SUCCEEDED, checks=(empty,))
        recorded = _check_records(handle, self._context.verify_ownership(backup, handle))
        if problem := next((check.reason for check in recorded if not check.verified), ""):
            return Progress(ProgressState.FAILED, reason=problem, checks=recorded)
        items = tuple(stored.item for stored in handle.items)
        discovery = DiscoveryResult(
            resource=operation.resource, items=items, servers=handle.servers
        )
        try:
            measurements = self._context.inspector.inspect(storage, handle.location, handle.items)
        except ReadInProgress as still:
            return results.archive_read_progress(call.receipt, still.progress)
        assessment = assess(discovery, handle.items, measurements)
        restorable = restorable_check(handle.agent_version, items, storage.kind)
        return Progress(
            ProgressState.FAILED if assessment.reason else ProgressState.SUCCEEDED,
            reason=assessment.reason,
            parts=assessment.parts,
            checks=(*recorded, *assessment.checks, restorable),
        )

    def status(self, call: FreezerCall) -> Progress:
        """Return whether this process still reads an archive; it is read anew where none does."""
        if call.step != self.name or call.operation.outcome is not None:
            return Progress(ProgressState.UNKNOWN)
        if call.operation.cancel_sent:
            return Progress(ProgressState.CANCELLED)
        still = self._context.inspector.archive_progress(
            self._context.get_container(call.operation)
        )
        if still is None:
            return Progress(ProgressState.READY)
        return results.archive_read_progress(call.receipt, still)

    def cancel(self, call: FreezerCall) -> bool:  # noqa: ARG002 - for every call
        """Return that it was taken: only what is stored is read, and the next poll ends it."""
        return True


def _check_records(handle: Handle, records: Mapping[str, Document]) -> tuple[Check, ...]:
    """Return what Freezer's records say of all items together."""
    missing = [stored.record for stored in handle.items if stored.record not in records]
    if missing:
        gone = f"Freezer has no record {', '.join(missing)} any more"
        return (Check(RECORD_EXISTS_CHECK, verified=False, reason=gone),)
    exists = Check(RECORD_EXISTS_CHECK, verified=True)
    for stored in handle.items:
        if problem := _find_mismatch(handle, stored, records[stored.record]):
            return (exists, Check(RECORD_MATCHES_CHECK, verified=False, reason=problem))
    return (exists, Check(RECORD_MATCHES_CHECK, verified=True))


def _find_mismatch(handle: Handle, stored: StoredItem, record: Document) -> str:
    """Return what a record says otherwise than at first, empty where nothing is."""
    status = record.get("status") or "available"
    if status != "available":
        return f"Freezer calls the backup {stored.record} {status!r}"
    native = stored.item.mode is Mode.NATIVE
    expected = {
        "container": native_container(handle.location) if native else handle.container,
        "mode": MODE_SELECTIONS[stored.item.mode].mode,
    }
    metadata = record_metadata(record)
    for field, wanted in expected.items():
        if metadata.get(field) != wanted:
            message = metadata.get(field)
            return (
                f"the {field} of backup {stored.record} is {message!r} in Freezer, not {wanted!r}"
            )
    return ""
