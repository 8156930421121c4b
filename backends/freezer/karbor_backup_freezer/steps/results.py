"""How a protect ends: what was recorded of it, what is stored, and what its backup holds."""

from collections.abc import Iterable, Iterator, Sequence

import attrs

from karbor_backup_core import (
    Check,
    Member,
    Part,
    Progress,
    ProgressState,
    Resource,
    Result,
)
from karbor_backup_freezer.client import Document
from karbor_backup_freezer.handles import Handle
from karbor_backup_freezer.jobs import Job
from karbor_backup_freezer.modes import is_record_of
from karbor_backup_freezer.pieces import Mode, Piece, StoredPiece, Survey
from karbor_backup_freezer.receipts import Receipt
from karbor_backup_freezer.records import EXISTS, metadata_of
from karbor_backup_freezer.resources import KINDS, SERVER
from karbor_backup_freezer.restorable import restorable_check
from karbor_backup_freezer.storages import Kind, Storage
from karbor_backup_freezer.stored.judgement import Judgement
from karbor_backup_freezer.stored.layout import Place
from karbor_backup_freezer.stored.measure import Measured
from karbor_backup_freezer.stored.readings import ReadProgress


def matched(survey: Survey, records: Iterable[Document]) -> tuple[Document | None, ...]:
    """The record of each piece, None where Freezer has none: its action did not succeed."""
    known = list(records)

    def of(piece: Piece) -> Document | None:
        fitting = (record for record in known if is_record_of(piece, metadata_of(record)))
        return next(fitting, None)

    return tuple(of(piece) for piece in survey.pieces)


def compact(records: Iterable[Document | None]) -> tuple[tuple[str, int, str], ...]:
    """What a receipt keeps of the records of a protect whose every piece has one."""
    return tuple(_compact(record) for record in records if record is not None)


def told(records: Iterable[Document | None], field: str) -> str:
    """What the agent has told of itself in the records of one job, empty where in none."""
    values = (str(metadata_of(record).get(field) or "") for record in records if record)
    return next(filter(None, values), "")


def stored(survey: Survey, records: Sequence[tuple[str, int, str]]) -> tuple[StoredPiece, ...]:
    """The pieces with what was recorded of each."""
    return tuple(
        StoredPiece(piece=piece, record=record, time_stamp=time_stamp, native=native)
        for piece, (record, time_stamp, native) in zip(survey.pieces, records, strict=True)
    )


def with_sizes(
    pieces: Sequence[StoredPiece], measured: Sequence[Measured]
) -> tuple[StoredPiece, ...]:
    """The pieces with the bytes that were seen of each."""
    return tuple(
        attrs.evolve(piece, stored=seen.stored)
        for piece, seen in zip(pieces, measured, strict=True)
    )


def reading(receipt: Receipt, still: ReadProgress) -> Progress:
    """The answer of a step while what is stored is read; it keeps the receipt."""
    return attrs.evolve(receipt.running(), done=still.done, total=still.total, unit="bytes")


def unfinished(
    survey: Survey, records: Sequence[Document | None], job: Job, limit: str = ""
) -> Progress:
    """The end of a protect of which not every piece was backed up.

    The scheduler runs a job's actions in turn and skips those after one that failed, and an
    action that succeeded has left a record (freezer 19.0.0): so the first that has none failed.

    Args:
        survey: what was to be backed up.
        records: of each piece, None where there is none.
        job: the job that has ended.
        limit: what an older agent cannot do, which may be why records are missing.
    """
    where = (
        f"the reason is in the log of scheduler {job.client} and in freezer-agent's log on host "
        f"{job.field('hostname') or 'of that scheduler'}"
        f"{f'; {limit}' if limit else ''}"
    )
    lacking = [p for p, record in zip(survey.pieces, records, strict=True) if record is None]
    if not lacking:
        said = f"Freezer's job ended with result {job.result or 'none'!r}; {where}"
        return Progress(ProgressState.FAILED, reason=said)
    first = lacking[0]
    failed = f"Freezer did not back up {first.type} {first.id}; {where}"
    if len(survey.pieces) == 1:
        return Progress(ProgressState.FAILED, reason=failed)
    skipped = "not tried, since Freezer skips what comes after an action that failed"
    faults = {piece.id: skipped for piece in lacking} | {first.id: failed}
    return Progress(
        ProgressState.FAILED,
        reason=f"{len(lacking)} of {len(survey.pieces)} were not backed up: {failed}",
        parts=tuple(_part(piece.resource, faults.get(piece.id, "")) for piece in survey.pieces),
    )


def nothing(survey: Survey, storage: Storage, place: Place) -> Progress:
    """The success of a protect that has nothing to do: a project without resources."""
    handle = Handle(
        kind=storage.kind.value,
        container=place.container,
        backup_name=place.backup_name,
        hostname="",
        client="",
        job="",
        agent_version="",
    )
    empty = Check("nothing to store", verified=True)
    return Progress(
        ProgressState.SUCCEEDED,
        handle=handle.document(),
        storage=storage.name,
        checks=(empty, *survey.checks),
    )


def weighed(survey: Survey, handle: Handle, judgement: Judgement, storage: str) -> Progress:
    """The end of a protect whose data was looked at."""
    recorded = Check(EXISTS, verified=True)
    checks = (
        recorded,
        *judgement.checks,
        restorable_check(handle.agent_version, survey.pieces, Kind(handle.kind)),
        *survey.checks,
    )
    if judgement.reason:
        return Progress(
            ProgressState.FAILED, reason=judgement.reason, parts=judgement.parts, checks=checks
        )
    return Progress(
        ProgressState.SUCCEEDED,
        handle=handle.document(),
        storage=storage,
        parts=judgement.parts,
        checks=checks,
        members=tuple(_members(survey, handle)),
    )


def _members(survey: Survey, handle: Handle) -> Iterator[Member]:
    """What can be restored alone: servers with their volumes, and every volume."""
    if any(piece.mode is Mode.TENANT for piece in survey.pieces):
        return
    for server in survey.servers:
        resource = Resource(SERVER, server.id, server.name)
        if server.id != survey.resource.id:
            held = {a.volume for a in server.attachments if a.included}
            yield Member(resource, handle.member({server.id, *held}).document())
    servers = {server.id for server in survey.servers}
    for piece in survey.pieces:
        restorable = piece.type in KINDS and piece.id not in servers
        if restorable and piece.id != survey.resource.id:
            yield Member(piece.resource, handle.member({piece.id}).document())


def _compact(record: Document) -> tuple[str, int, str]:
    metadata = metadata_of(record)
    native = str(metadata.get("cinder_backup_id") or "")
    return record["backup_id"], int(metadata.get("time_stamp") or 0), native


def _part(resource: Resource, fault: str) -> Part:
    return Part(resource, Result.FAILED if fault else Result.SUCCEEDED, fault)
