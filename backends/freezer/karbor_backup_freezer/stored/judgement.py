"""Whether what was seen of a protect's data is what should be there."""

from collections.abc import Iterator, Sequence
from typing import Final

import attrs

from karbor_backup_core import Check, Part, Resource, Result
from karbor_backup_freezer.native import NativeState, Stage
from karbor_backup_freezer.pieces import Mode, Piece, ServerNotes, StoredPiece, Survey
from karbor_backup_freezer.resources import SERVER, VOLUME
from karbor_backup_freezer.stored.contents import told
from karbor_backup_freezer.stored.measure import Measured

STORED: Final = "stored data"
CONTENTS: Final = "directory's contents"
NATIVE: Final = "Cinder's backup"

_NATIVE_SIZE: Final = "Cinder does not tell how many bytes its backup takes"
_WHOLE: Final = frozenset({Mode.CINDER, Mode.GLANCE})
"""Modes that store every byte that the cloud says is there; ``nova`` stores a snapshot."""


@attrs.frozen(kw_only=True)
class Judgement:
    """What can be said of a protect by what was seen of its data.

    Attributes:
        checks: what holds, and what nobody could look at.
        parts: how each member of a compound resource fared; empty for any other.
        reason: why the backup is not what it should be; empty where it is.
    """

    checks: tuple[Check, ...] = ()
    parts: tuple[Part, ...] = ()
    reason: str = ""


def judge(survey: Survey, pieces: Sequence[StoredPiece], measured: Sequence[Measured]) -> Judgement:
    """Judge a protect's pieces by what was seen of each, in the same order."""
    faults: dict[str, str] = {}
    checks: list[Check] = []
    alone = len(pieces) == 1
    for stored, seen in zip(pieces, measured, strict=True):
        piece = stored.piece
        if fault := _fault(piece, seen) or _shrunk(stored, seen):
            faults[piece.id] = fault
        of = "" if alone else f" of {_kind(piece.type)} {piece.id}"
        checks.extend(_checks(of, seen, fault))
    parts = tuple(_parts(survey, pieces, measured, faults))
    return Judgement(checks=tuple(checks), parts=parts, reason=_reason(faults, len(pieces)))


def _checks(of: str, seen: Measured, fault: str) -> Iterator[Check]:
    if seen.native is not None:
        yield Check(f"{NATIVE}{of}", verified=not fault, reason=fault)
        yield Check(f"{STORED}{of}", verified=False, reason=_NATIVE_SIZE)
        return
    reason = fault or seen.reason
    contents = seen.contents
    if contents is not None and not reason and contents.unread:
        # Bytes alone say nothing of what they hold.
        reason = (
            f"{seen.stored} bytes are stored, and what they hold is not known: {contents.unread}"
        )
    yield Check(f"{STORED}{of}", verified=not reason, reason=reason)
    if contents is not None and not reason:
        lack = told(contents)
        yield Check(f"{CONTENTS}{of}", verified=not lack, reason=lack)


def _fault(piece: Piece, seen: Measured) -> str:
    """Why a piece is not what it should be, empty where it is or nobody could look."""
    if seen.native is not None:
        return _native_fault(piece, seen.native)
    if seen.reason:
        return ""
    if piece.mode is Mode.TENANT:
        return _project_fault(seen)
    return _data_fault(seen, piece.size if piece.mode in _WHOLE else None, piece.mode)


def _shrunk(stored: StoredPiece, seen: Measured) -> str:
    """Why a piece is not what it was when it was made, empty where nothing is known of it."""
    if stored.stored is None or seen.stored is None or seen.stored >= stored.stored:
        return ""
    return f"{seen.stored} bytes are stored, and {stored.stored} were when it was made"


def _data_fault(seen: Measured, size: int | None, mode: Mode) -> str:
    if not seen.stored:
        return "nothing is stored of it, although Freezer says that it was backed up"
    if not seen.complete:
        return "the agent's notes on it are missing, and it cannot be restored without them"
    if seen.contents is not None and seen.contents.fault:
        return seen.contents.fault
    if mode is not Mode.FS and seen.noted is None:
        return "the agent's notes on it do not say how long it is, which a restore needs"
    if seen.noted is not None and seen.stored != seen.noted:
        return f"{seen.stored} bytes are stored, and the agent noted {seen.noted}"
    if size is not None and seen.stored < size:
        return f"{seen.stored} bytes are stored of {size}"
    return ""


def _project_fault(seen: Measured) -> str:
    if not seen.complete:
        return "the agent's list of its servers is missing, and it cannot be restored without it"
    bad = {id_: fault for id_, member in seen.members.items() if (fault := _member_fault(member))}
    return _reason(bad, len(seen.members))


def _member_fault(seen: Measured) -> str:
    return _data_fault(seen, None, Mode.TENANT)


def _native_fault(piece: Piece, native: NativeState) -> str:
    if native.stage is not Stage.AVAILABLE:
        return native.reason or f"Cinder calls its backup {native.id} {native.status!r}"
    if piece.size is not None and native.size < piece.size:
        return f"Cinder's backup {native.id} is of {native.size} bytes, the volume of {piece.size}"
    return ""


def _reason(faults: dict[str, str], count: int) -> str:
    if not faults:
        return ""
    if count == 1:
        return next(iter(faults.values()))
    told = "; ".join(f"{id_}: {fault}" for id_, fault in faults.items())
    return f"{len(faults)} of {count} are not stored as they should be: {told}"


def _parts(
    survey: Survey,
    pieces: Sequence[StoredPiece],
    measured: Sequence[Measured],
    faults: dict[str, str],
) -> Iterator[Part]:
    """The members: servers that boot from volumes, then what the pieces hold."""
    whole = survey.resource
    if [(stored.piece.type, stored.piece.id) for stored in pieces] == [(whole.type, whole.id)]:
        for id_, member in measured[0].members.items():
            yield _part(Resource(SERVER, id_, _name(survey, id_)), _member_fault(member))
        return
    covered = {stored.piece.id for stored in pieces}
    for server in survey.servers:
        if server.id not in covered:
            yield _part(Resource(SERVER, server.id, server.name), _server_fault(server, faults))
    for stored in pieces:
        yield _part(stored.piece.resource, faults.get(stored.piece.id, ""))


def _server_fault(server: ServerNotes, faults: dict[str, str]) -> str:
    return next(
        (
            f"its volume {attachment.volume}: {faults[attachment.volume]}"
            for attachment in server.attachments
            if attachment.volume in faults
        ),
        "",
    )


def _part(resource: Resource, fault: str) -> Part:
    return Part(resource, Result.FAILED if fault else Result.SUCCEEDED, fault)


def _name(survey: Survey, server: str) -> str:
    return next((notes.name for notes in survey.servers if notes.id == server), "")


def _kind(resource_type: str) -> str:
    return "volume" if resource_type == VOLUME else resource_type.rpartition("::")[2].lower()
