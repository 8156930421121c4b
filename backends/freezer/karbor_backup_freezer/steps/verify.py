"""Verify: what Freezer, the storage and Cinder say of a backup now; nothing is restored."""

from collections.abc import Mapping

from karbor_backup_core import Check, Operation, Progress, ProgressState
from karbor_backup_freezer.actions import native_container
from karbor_backup_freezer.client import Document
from karbor_backup_freezer.handles import Handle
from karbor_backup_freezer.modes import SELECTIONS
from karbor_backup_freezer.pieces import Mode, StoredPiece, Survey
from karbor_backup_freezer.receipts import Receipt, Step
from karbor_backup_freezer.records import EXISTS, metadata_of
from karbor_backup_freezer.restorable import restorable_check
from karbor_backup_freezer.steps import results
from karbor_backup_freezer.steps.work import Work
from karbor_backup_freezer.stored.judgement import judge
from karbor_backup_freezer.stored.readings import StillReading

MATCHES = "record matches"
"""The name of the check whether Freezer's record says what it said at first."""


class Verify:
    """The only step of a verify.

    Args:
        work: what the step needs.
    """

    def __init__(self, work: Work) -> None:
        self._work = work

    def step(self, operation: Operation) -> Progress:
        """Look whether a backup is still what it was when it was made.

        Raises:
            InvalidInput: the handle cannot be read, or the storage is not configured.
            Transient: a repeat may help.
            BackendError: Freezer, the storage or Cinder refuses to tell.
        """
        backup, handle, storage = self._work.source(operation)
        if not handle.pieces:
            empty = Check("nothing to store", verified=True)
            return Progress(ProgressState.SUCCEEDED, checks=(empty,))
        recorded = _recorded(handle, self._work.prove(backup, handle))
        if fault := next((check.reason for check in recorded if not check.verified), ""):
            return Progress(ProgressState.FAILED, reason=fault, checks=recorded)
        pieces = tuple(stored.piece for stored in handle.pieces)
        survey = Survey(resource=operation.resource, pieces=pieces, servers=handle.servers)
        try:
            measured = self._work.data.measure(storage, handle.place, handle.pieces)
        except StillReading as still:
            return results.reading(Receipt(step=Step.NATIVE), still.progress)
        judgement = judge(survey, handle.pieces, measured)
        restorable = restorable_check(handle.agent_version, pieces, storage.kind)
        return Progress(
            ProgressState.FAILED if judgement.reason else ProgressState.SUCCEEDED,
            reason=judgement.reason,
            parts=judgement.parts,
            checks=(*recorded, *judgement.checks, restorable),
        )


def _recorded(handle: Handle, records: Mapping[str, Document]) -> tuple[Check, ...]:
    """What Freezer's records say of all pieces together."""
    missing = [stored.record for stored in handle.pieces if stored.record not in records]
    if missing:
        gone = f"Freezer has no record {', '.join(missing)} any more"
        return (Check(EXISTS, verified=False, reason=gone),)
    exists = Check(EXISTS, verified=True)
    for stored in handle.pieces:
        if fault := _mismatch(handle, stored, records[stored.record]):
            return (exists, Check(MATCHES, verified=False, reason=fault))
    return (exists, Check(MATCHES, verified=True))


def _mismatch(handle: Handle, stored: StoredPiece, record: Document) -> str:
    """What a record says otherwise than at first, empty where nothing is."""
    status = record.get("status") or "available"
    if status != "available":
        return f"Freezer calls the backup {stored.record} {status!r}"
    native = stored.piece.mode is Mode.NATIVE
    expected = {
        "container": native_container(handle.place) if native else handle.container,
        "mode": SELECTIONS[stored.piece.mode].mode,
    }
    metadata = metadata_of(record)
    for field, wanted in expected.items():
        if metadata.get(field) != wanted:
            said = metadata.get(field)
            return f"the {field} of backup {stored.record} is {said!r} in Freezer, not {wanted!r}"
    return ""
