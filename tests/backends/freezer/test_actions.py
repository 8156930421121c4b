"""What the agent is told, for each type and verb, and what is refused before it is told."""

from datetime import UTC, datetime
from typing import Any

import attrs
import pytest

from karbor_backup_core import Backup, InvalidInput, Operation, Resource, Unsupported, Verb
from karbor_backup_freezer import actions
from karbor_backup_freezer.config import Configuration
from karbor_backup_freezer.handles import Handle
from karbor_backup_freezer.resources import DIRECTORY, PROJECT, SERVER, VOLUME

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CONFIGURATION = Configuration.read(
    {
        "storage": "disk",
        "storages": {
            "disk": {"kind": "local", "path": "/srv"},
            "s3": {"kind": "s3", "endpoint": "e", "access_key": "a", "secret_key": "s"},
            "far": {"kind": "ssh", "host": "h", "username": "u", "key": "/k", "path": "/srv"},
        },
    }
)
DISK = CONFIGURATION.storages["disk"]
EXPECTED: dict[str, dict[str, Any]] = {
    SERVER: {"mode": "nova", "engine_name": "nova", "nova_inst_id": "id-1"},
    VOLUME: {"mode": "cinder", "cinder_vol_id": "id-1"},
    PROJECT: {"mode": "nova", "engine_name": "nova", "project_id": "id-1"},
}


def _protect(kind: str, resource_id: str = "id-1", **options: Any) -> Operation:
    return Operation(
        id="op",
        verb=Verb.PROTECT,
        backend="freezer",
        implementation="freezer",
        scope="s",
        resource=Resource(kind, resource_id),
        options={"backup_name": "n%", **options},
        created_at=NOW,
        deadline=NOW,
    )


def _backup(kind: str, handle: Handle, resource_id: str = "id-1") -> Backup:
    return Backup(
        id="op",
        resource=Resource(kind, resource_id),
        backend="freezer",
        scope="s",
        handle=handle.document(),
        storage="disk",
        created_at=NOW,
    )


def _handle(mode: str) -> Handle:
    return Handle(
        mode=mode,
        kind="local",
        container="/srv/karbor-backup/op",
        backup_name="n%",
        hostname="far",
        client="one",
        job="j",
        record="r",
        time_stamp=1,
        agent_version="19.0.0",
    )


@pytest.mark.parametrize("kind", EXPECTED)
def test_cloud_resources_are_selected_by_mode_engine_and_id(kind: str) -> None:
    place = {"container": "/srv/karbor-backup/op", "backup_name": "n%%", "storage": "local"}
    backup = actions.backup_action(_protect(kind), DISK, CONFIGURATION)
    assert backup == {"action": "backup", **EXPECTED[kind], **place}

    handle = _handle(EXPECTED[kind]["mode"])
    stored = _backup(kind, handle)
    restore = actions.restore_action(stored, handle, DISK, {"restore_name": "x"})
    assert restore == {"action": "restore", **EXPECTED[kind], **place, "hostname": "far"}

    removal = actions.removal_action(stored, handle, DISK)
    admin = {"action": "admin", "remove_older_than": "0"}
    assert removal == {**admin, **EXPECTED[kind], **place, "hostname": "far"}
    assert actions.removal_of({**backup, "hostname": "far", "timeout": None}) == removal


def test_a_directory_is_backed_up_by_its_path_and_restored_to_one() -> None:
    backup = actions.backup_action(_protect(DIRECTORY, "/data 100%"), DISK, CONFIGURATION)
    assert backup["path_to_backup"] == "/data 100%%"
    assert (backup["mode"], backup["engine_name"]) == ("fs", "tar")

    handle = _handle("fs")
    stored = _backup(DIRECTORY, handle, "/data")
    plain = actions.restore_action(stored, handle, DISK, {"restore_name": "x"})
    assert (plain["restore_abs_path"], plain["overwrite"]) == ("/data", False)
    asked = {"restore_name": "x", "restore_path": "/else", "overwrite": True}
    other = actions.restore_action(stored, handle, DISK, asked)
    assert (other["restore_abs_path"], other["overwrite"]) == ("/else", True)
    assert "path_to_backup" not in actions.removal_of(backup)


@pytest.mark.parametrize(
    ("kind", "resource_id", "storage", "options", "match"),
    [
        (VOLUME, "", "disk", {}, "give the id"),
        (DIRECTORY, "data", "disk", {}, "absolute"),
        (DIRECTORY, "/data", "disk", {"backup_name": "../x"}, "backup_name"),
        (DIRECTORY, "/data", "s3", {}, "allow_unrestorable"),
        (VOLUME, "id-1", "far", {}, "TypeError"),
    ],
)
def test_what_could_not_be_carried_out_is_refused(
    kind: str, resource_id: str, storage: str, options: dict[str, Any], match: str
) -> None:
    operation = _protect(kind, resource_id, **options)
    with pytest.raises(InvalidInput, match=match):
        actions.backup_action(operation, CONFIGURATION.storages[storage], CONFIGURATION)


def test_the_unrestorable_is_stored_only_when_asked_for() -> None:
    operation = _protect(VOLUME, allow_unrestorable=True)
    action = actions.backup_action(operation, CONFIGURATION.storages["s3"], CONFIGURATION)
    assert action["storage"] == "s3"


def test_a_type_that_freezer_does_not_know_is_unsupported() -> None:
    with pytest.raises(Unsupported, match="OS::Heat::Stack"):
        actions.kind_of("OS::Heat::Stack")


def test_a_backup_is_looked_for_where_it_was_put() -> None:
    handle = _handle("cinder")
    backup = _backup(VOLUME, handle)
    assert actions.storage_of(backup, handle, CONFIGURATION) == DISK
    native = attrs.evolve(handle, mode="cindernative")
    with pytest.raises(InvalidInput, match="made in mode 'cindernative'"):
        actions.storage_of(backup, native, CONFIGURATION)
    with pytest.raises(InvalidInput, match="of kind 's3' now"):
        actions.storage_of(attrs.evolve(backup, storage="s3"), handle, CONFIGURATION)
    with pytest.raises(InvalidInput, match="'lost' is not configured"):
        actions.storage_of(attrs.evolve(backup, storage="lost"), handle, CONFIGURATION)


def test_a_handle_is_read_as_it_was_written_and_no_other() -> None:
    handle = _handle("cinder")
    assert Handle.of(_backup(VOLUME, handle)) == handle
    for damaged in ({"format": 2}, {}, {"format": 1, "mode": "fs"}):
        with pytest.raises(InvalidInput, match="backup op"):
            Handle.read(damaged, "op")
