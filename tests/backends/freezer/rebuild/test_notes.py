"""What a rebuild keeps between its steps."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from karbor_backup_core import BackendError
from karbor_backup_freezer.cloud.things import Kind
from karbor_backup_freezer.rebuild.notes import Notes

IDS = st.dictionaries(st.uuids().map(str), st.uuids().map(str))
WAITS = st.lists(st.tuples(st.sampled_from(Kind), st.uuids().map(str), st.booleans()))


@given(volumes=IDS, servers=IDS, doubts=IDS, waits=WAITS)
def test_notes_come_back_from_json_as_they_were(
    volumes: dict[str, str],
    servers: dict[str, str],
    doubts: dict[str, str],
    waits: list[tuple[Kind, str, bool]],
) -> None:
    notes = Notes(volumes=volumes, servers=servers, doubts=doubts)
    for kind, identifier, gone in waits:
        notes.wait(kind, identifier, gone=gone)
    assert Notes.read(json.loads(json.dumps(notes.document()))) == notes


def test_what_is_read_is_not_changed_with_the_notes() -> None:
    document = {"volumes": {"a": "b"}}
    Notes.read(document).volumes["c"] = "d"
    assert document == {"volumes": {"a": "b"}}


def test_notes_of_a_later_version_are_refused() -> None:
    with pytest.raises(BackendError, match="use the version of karbor-backup that began"):
        Notes.read({"ports": {}})


def test_a_volume_that_was_written_over_was_not_made() -> None:
    notes = Notes(volumes={"old": "new", "same": "same"}, servers={"s": "t"})
    assert notes.made() == {"new", "t"}
