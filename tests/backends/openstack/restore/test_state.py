"""What a rebuild keeps between its steps."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from karbor_backup_core import BackendError
from karbor_backup_openstack.resources import ResourceKind
from karbor_backup_openstack.restore.state import RestoreState

IDS = st.dictionaries(st.uuids().map(str), st.uuids().map(str))
WAITS = st.lists(st.tuples(st.sampled_from(ResourceKind), st.uuids().map(str), st.booleans()))


@given(volumes=IDS, servers=IDS, doubts=IDS, waits=WAITS)
def test_state_survives_json(
    volumes: dict[str, str],
    servers: dict[str, str],
    doubts: dict[str, str],
    waits: list[tuple[ResourceKind, str, bool]],
) -> None:
    notes = RestoreState(volumes=volumes, servers=servers, doubts=doubts)
    for kind, identifier, gone in waits:
        notes.wait_for(kind, identifier, gone=gone)
    assert RestoreState.from_document(json.loads(json.dumps(notes.to_document()))) == notes


def test_state_does_not_change_the_document_it_was_read_from() -> None:
    document = {"volumes": {"a": "b"}}
    RestoreState.from_document(document).volumes["c"] = "d"
    assert document == {"volumes": {"a": "b"}}


def test_state_of_a_later_version_is_refused() -> None:
    with pytest.raises(BackendError, match="use the version of karbor-backup that started"):
        RestoreState.from_document({"ports": {}})


def test_overwritten_volume_is_not_listed_as_created() -> None:
    notes = RestoreState(volumes={"old": "new", "same": "same"}, servers={"s": "t"})
    assert notes.created_ids() == {"new", "t"}
