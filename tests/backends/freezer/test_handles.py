"""Handles: written, read, and read as earlier versions wrote them."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from karbor_backup_core import Backup, InvalidInput, Resource
from karbor_backup_freezer.handles import Handle
from karbor_backup_freezer.pieces import Attachment, Mode, Piece, ServerNotes, StoredPiece
from karbor_backup_freezer.resources import DIRECTORY, PROJECT, SERVER, VOLUME


def backup(document: dict[str, Any], kind: str = PROJECT) -> Backup:
    return Backup(
        id="op",
        resource=Resource(kind, "id-1", "shop"),
        backend="freezer",
        scope="s",
        handle=document,
        storage="disk",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def stored(mode: Mode, kind: str, identifier: str) -> StoredPiece:
    piece = Piece(type=kind, id=identifier, mode=mode, size=5, details={"a": ["b"]})
    return StoredPiece(piece=piece, record="r", time_stamp=1, native="n", stored=5)


HANDLE = Handle(
    kind="local",
    container="/srv/karbor-backup/op",
    backup_name="n%",
    hostname="far",
    client="one",
    job="j",
    agent_version="19.0.0",
    pieces=(
        stored(Mode.NOVA, SERVER, "s"),
        stored(Mode.CINDER, VOLUME, "v"),
        stored(Mode.CINDER, VOLUME, "w"),
    ),
    servers=(
        ServerNotes(
            id="s",
            name="web",
            boots_from_volume=False,
            attachments=(Attachment(volume="v", device="/dev/vdb", included=True),),
        ),
    ),
)


def test_a_handle_is_read_as_it_was_written() -> None:
    assert Handle.of(backup(json.loads(json.dumps(HANDLE.document())))) == HANDLE


def test_a_member_has_its_own_pieces_and_its_own_server_alone() -> None:
    server = HANDLE.member({"s", "v"})
    assert [each.piece.id for each in server.pieces] == ["s", "v"]
    assert [each.id for each in server.servers] == ["s"]
    volume = HANDLE.member({"w"})
    assert ([each.piece.id for each in volume.pieces], volume.servers) == (["w"], ())


@pytest.mark.parametrize(
    ("kind", "mode", "read"),
    [
        (DIRECTORY, "fs", Mode.FS),
        (SERVER, "nova", Mode.NOVA),
        (VOLUME, "cinder", Mode.CINDER),
        (PROJECT, "nova", Mode.TENANT),
    ],
)
def test_the_first_format_is_read_too(kind: str, mode: str, read: Mode) -> None:
    first = {
        "format": 1,
        "mode": mode,
        "kind": "local",
        "container": "c",
        "backup_name": "n",
        "hostname": "far",
        "client": "one",
        "job": "j",
        "record": "r",
        "time_stamp": 7,
        "agent_version": "19.0.0",
    }
    handle = Handle.of(backup(first, kind))
    (only,) = handle.pieces
    assert (only.piece.resource, only.piece.mode) == (Resource(kind, "id-1", "shop"), read)
    assert (only.record, only.time_stamp, handle.job, handle.servers) == ("r", 7, "j", ())


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"format": 3},
        {"format": 1, "mode": "fs"},
        {"format": 2},
        {**HANDLE.document(), "pieces": [{"record": "r"}]},
        {**HANDLE.document(), "more": 1},
    ],
)
def test_what_is_damaged_or_later_is_refused_with_the_backups_id(document: Any) -> None:
    with pytest.raises(InvalidInput, match="backup op: its handle"):
        Handle.of(backup(document))
