"""What is said of a protect by what was seen of its data."""

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from karbor_backup_core import Check, Part, Resource, Result
from karbor_backup_freezer.native import NativeState
from karbor_backup_freezer.pieces import (
    Attachment,
    Mode,
    Piece,
    ServerNotes,
    StoredPiece,
    Survey,
)
from karbor_backup_freezer.stored import Judgement, Measured, judge
from karbor_backup_freezer.stored.contents import Contents

SERVER, VOLUME, PROJECT = "OS::Nova::Server", "OS::Cinder::Volume", "OS::Keystone::Project"
DIRECTORY = "Freezer::FileSystem::Directory"
GIB = 2**30
WHOLE = Measured(stored=GIB, complete=True, noted=GIB)


def stored(mode: Mode = Mode.CINDER, id_: str = "v", type_: str = VOLUME, **more: Any) -> Any:
    piece = Piece(type=type_, id=id_, mode=mode, **{"size": GIB, **more})
    return StoredPiece(piece=piece, record="r", time_stamp=1, native="n")


def judged(pieces: list[StoredPiece], *measured: Measured, **more: Any) -> Judgement:
    resource = pieces[0].piece.resource if len(pieces) == 1 else Resource(PROJECT, "p")
    survey = Survey(resource=more.pop("resource", resource), **more)
    return judge(survey, pieces, measured)


def test_a_whole_volume_is_verified() -> None:
    assert judged([stored()], WHOLE) == Judgement(checks=(Check("stored data", verified=True),))


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (Measured(stored=0), "nothing is stored"),
        (Measured(stored=0, complete=True, noted=0), "nothing is stored"),
        (attrs.evolve(WHOLE, stored=GIB - 1), "1073741823 bytes are stored"),
        (Measured(stored=GIB - 1, complete=True, noted=GIB - 1), "of 1073741824"),
        (attrs.evolve(WHOLE, stored=GIB + 1), "the agent noted 1073741824"),
        (attrs.evolve(WHOLE, complete=False), "notes on it are missing"),
        (attrs.evolve(WHOLE, noted=None), "do not say how long"),
    ],
)
def test_a_volume_that_is_not_whole_is_a_failure(seen: Measured, words: str) -> None:
    judgement = judged([stored()], seen)
    assert words in judgement.reason
    assert judgement.checks == (Check("stored data", verified=False, reason=judgement.reason),)


def test_a_volume_that_has_grown_since_it_was_looked_at_is_whole() -> None:
    assert not judged([stored()], Measured(stored=2 * GIB, complete=True, noted=2 * GIB)).reason


def test_a_server_is_as_long_as_the_agent_noted() -> None:
    server = [stored(Mode.NOVA, type_=SERVER)]
    assert not judged(server, Measured(stored=7, complete=True, noted=7)).reason
    assert "noted 8" in judged(server, Measured(stored=7, complete=True, noted=8)).reason


def test_a_directory_has_to_hold_something() -> None:
    tree = [stored(Mode.FS, type_="Freezer::FileSystem::Directory", size=None)]
    assert not judged(tree, Measured(stored=1, complete=True)).reason
    assert "nothing is stored" in judged(tree, Measured(stored=0, complete=True)).reason


def test_what_has_shrunk_since_it_was_made_is_a_failure() -> None:
    tree = attrs.evolve(stored(Mode.FS, type_="Freezer::FileSystem::Directory"), stored=9)
    assert "9 were when it was made" in judged([tree], Measured(stored=8, complete=True)).reason
    assert not judged([tree], Measured(stored=9, complete=True)).reason
    assert not judged([tree], Measured(reason="far away")).reason


@given(st.text(min_size=1), st.sampled_from(list(Mode)))
def test_what_nobody_could_look_at_is_unverified_and_no_failure(why: str, mode: Mode) -> None:
    judgement = judged([stored(mode)], Measured(reason=why))
    assert judgement == Judgement(checks=(Check("stored data", verified=False, reason=why),))


def test_a_backup_of_cinder_is_taken_at_its_word_but_for_its_bytes() -> None:
    native = NativeState(id="n", status="available", size=GIB)
    judgement = judged([stored(Mode.NATIVE)], Measured(native=native))
    assert [(check.name, check.verified) for check in judgement.checks] == [
        ("Cinder's backup", True),
        ("stored data", False),
    ]
    assert not judgement.reason


@pytest.mark.parametrize(
    ("native", "words"),
    [
        (NativeState(id="n", reason="Cinder has no backup n"), "no backup n"),
        (NativeState(id="n", status="error", reason="Cinder's backup n failed: disk"), "disk"),
        (NativeState(id="n", status="creating"), "'creating'"),
        (NativeState(id="n", status="available", size=GIB // 2), "the volume of 1073741824"),
    ],
)
def test_a_backup_of_cinder_that_is_not_whole_is_a_failure(native: NativeState, words: str) -> None:
    assert words in judged([stored(Mode.NATIVE)], Measured(native=native)).reason


def test_of_several_each_is_named() -> None:
    pieces = [stored(id_="one"), stored(id_="two"), stored(id_="three")]
    judgement = judged(pieces, WHOLE, Measured(stored=0), Measured(reason="far away"))
    assert judgement.reason.startswith("1 of 3 are not stored as they should be: two: nothing")
    assert [check.name for check in judgement.checks][1] == "stored data of volume two"
    assert [(part.resource.id, part.result) for part in judgement.parts] == [
        ("one", Result.SUCCEEDED),
        ("two", Result.FAILED),
        ("three", Result.SUCCEEDED),
    ]


def test_a_server_that_boots_from_a_volume_fails_with_its_volume() -> None:
    attached = (
        Attachment(volume="root", boot_index=0, included=True),
        Attachment(volume="other", included=False),
    )
    server = ServerNotes(id="s", name="web", boots_from_volume=True, attachments=attached)
    judgement = judged(
        [stored(id_="root")],
        Measured(stored=0),
        resource=Resource(SERVER, "s", "web"),
        servers=(server,),
    )
    first, second = judgement.parts
    assert first.resource == Resource(SERVER, "s", "web")
    assert first.reason.startswith("its volume root: nothing")
    assert second == Part(Resource(VOLUME, "root"), Result.FAILED, judgement.reason)


def test_each_server_of_a_project_in_tenant_mode_is_a_member() -> None:
    pieces = [stored(Mode.TENANT, "p", PROJECT, size=None)]
    members = {"a": Measured(stored=5, complete=True, noted=5), "b": Measured(stored=0)}
    judgement = judged(pieces, Measured(stored=5, complete=True, members=members))
    assert [(part.resource.id, part.result) for part in judgement.parts] == [
        ("a", Result.SUCCEEDED),
        ("b", Result.FAILED),
    ]
    assert "b: nothing is stored" in judgement.reason
    assert "list of its servers" in judged(pieces, Measured(stored=0)).reason


def test_bytes_that_nobody_has_read_are_no_proof_of_a_directory() -> None:
    whole = Resource(DIRECTORY, "/srv")
    piece = StoredPiece(
        piece=Piece(type=DIRECTORY, id="/srv", mode=Mode.FS), record="r", time_stamp=1
    )
    survey = Survey(resource=whole, pieces=(piece.piece,))

    def judged(contents: Contents) -> Judgement:
        seen = Measured(stored=9, complete=True, contents=contents)
        return judge(survey, [piece], [seen])

    unread = judged(Contents(unread="archives on swift are not read"))
    assert [(c.name, c.verified) for c in unread.checks] == [("stored data", False)]
    assert unread.reason == ""
    lacking = judged(Contents(members=1, missing=("a",), missing_count=1))
    assert [(c.name, c.verified) for c in lacking.checks] == [
        ("stored data", True),
        ("directory's contents", False),
    ]
    assert judged(Contents(fault="broken")).reason == "broken"
