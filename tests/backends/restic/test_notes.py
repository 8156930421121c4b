"""Handles, which anybody may have written."""

from datetime import UTC, datetime
from typing import Any

import pytest

from karbor_backup_core import BackendError, Backup, InvalidInput, Resource
from karbor_backup_restic import DIRECTORY
from karbor_backup_restic._notes import Handle
from karbor_backup_restic._repository import Snapshot, parse_snapshots

_ID, _OTHER = "a" * 64, "b" * 64


def backup(handle: Any = None, identifier: str = "one") -> Backup:
    return Backup(
        id=identifier,
        resource=Resource(DIRECTORY, "/home/me"),
        backend="restic",
        scope="restic:x",
        handle=Handle(_ID, 7).to_document() if handle is None else handle,
        storage="restic",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def snapshot(identifier: str, *tags: str, original: str = "") -> Snapshot:
    return Snapshot(identifier, original or identifier, frozenset(tags))


def test_handle_is_read_as_it_was_written() -> None:
    assert Handle.of(backup()) == Handle(_ID, 7)


@pytest.mark.parametrize(
    "changes",
    [
        {"snapshot": "latest"},
        {"snapshot": _ID[:8]},
        {"snapshot": f"{_ID}\n"},
        {"snapshot": ["x"]},
        {"snapshot": "--help"},
        {"bytes": -1},
        {"bytes": True},
        {"bytes": "7"},
        {"extra": 1},
    ],
)
def test_handle_that_no_release_has_written_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="its handle is damaged"):
        Handle.of(backup({**Handle(_ID, 7).to_document(), **changes}))


@pytest.mark.parametrize("version", [0, 2, "1", None, True, 1.0])
def test_handle_of_another_release_is_refused(version: Any) -> None:
    with pytest.raises(BackendError, match="use the release that wrote it"):
        Handle.of(backup({**Handle(_ID, 7).to_document(), "version": version}))


@pytest.mark.parametrize("identifier", ["a,b", "", "/", "../x", "a b"])
def test_id_that_would_be_another_tag_is_refused(identifier: str) -> None:
    with pytest.raises(InvalidInput, match="not the id of a backup"):
        Handle.of(backup(identifier=identifier))


def test_snapshot_is_chosen_by_handle_and_tag() -> None:
    mine = snapshot(_ID, "karbor-backup", "one")
    assert Handle(_ID, 7).choose(backup(), [snapshot(_OTHER, "two"), mine]) == mine


def test_snapshot_is_chosen_by_the_id_before_its_tags_were_changed() -> None:
    mine = snapshot(_OTHER, "one", "weekly", original=_ID)
    assert Handle(_ID, 7).choose(backup(), [mine]) == mine


def test_snapshot_that_is_gone_is_none() -> None:
    assert Handle(_ID, 7).choose(backup(), [snapshot(_OTHER, "two")]) is None


@pytest.mark.parametrize(
    "found",
    [
        [snapshot(_ID, "two"), snapshot(_OTHER, "one")],
        [snapshot(_ID)],
        [snapshot(_OTHER, "one")],
    ],
    ids=["another backup's", "without its tag", "another snapshot"],
)
def test_handle_that_does_not_fit_the_tags_is_refused(found: list[Snapshot]) -> None:
    with pytest.raises(InvalidInput, match="its handle names snapshot aaaaaaaa"):
        Handle(_ID, 7).choose(backup(), found)


@pytest.mark.parametrize("text", ["", "{", "7", '["x"]', '[{"id": 7}]', '[{"id": "latest"}]'])
def test_list_that_restic_does_not_print_is_an_error(text: str) -> None:
    with pytest.raises(BackendError, match="restic printed"):
        parse_snapshots(text)


def test_empty_repository_has_no_snapshots() -> None:
    assert parse_snapshots("null") == []
