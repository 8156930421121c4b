"""What a protect covers survives JSON, and what is damaged is refused with its place."""

import json

import pytest

from karbor_backup_core import Check, InvalidDocument, Resource
from karbor_backup_freezer.pieces import (
    Attachment,
    Mode,
    Piece,
    ServerNotes,
    StoredPiece,
    Survey,
)

VOLUME = Piece(
    type="OS::Cinder::Volume",
    id="v-1",
    name="data",
    mode=Mode.CINDER,
    size=2**30,
    details={"metadata": {"a": "b"}},
)
SURVEY = Survey(
    resource=Resource("OS::Nova::Server", "s-1", "web"),
    pieces=(VOLUME,),
    servers=(
        ServerNotes(
            id="s-1",
            name="web",
            boots_from_volume=True,
            attachments=(Attachment(volume="v-1", boot_index=0, included=True),),
            details={"flavor": {"name": "small"}, "key_name": "key"},
        ),
    ),
    checks=(Check("data volumes", verified=False, reason="not included"),),
)


def test_a_survey_comes_back_from_json() -> None:
    document = json.loads(json.dumps(SURVEY.document()))
    assert Survey.read(document) == SURVEY


def test_a_stored_piece_comes_back_from_json() -> None:
    stored = StoredPiece(piece=VOLUME, record="r-1", time_stamp=5, native="n", stored=0)
    assert StoredPiece.read(json.loads(json.dumps(stored.document()))) == stored


def test_defaults_take_no_room() -> None:
    piece = Piece(type="t", id="i", mode=Mode.FS)
    assert piece.document() == {"type": "t", "id": "i", "mode": "fs"}


def test_what_is_missing_or_unknown_is_named() -> None:
    document = SURVEY.document()
    del document["pieces"][0]["mode"]
    document["more"] = 1
    with pytest.raises(InvalidDocument, match=r"required field missing @ \$\.pieces\[0\]\.mode"):
        Survey.read(document)
