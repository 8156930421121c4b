"""What the agent is told, for each mode and verb."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from karbor_backup_core import InvalidInput, Operation, Resource, Verb
from karbor_backup_freezer.agent import actions
from karbor_backup_freezer.config import Configuration
from karbor_backup_freezer.inspection.layout import BackupLocation
from karbor_backup_freezer.model.ids import job_id
from karbor_backup_freezer.model.items import BackupItem, Mode, StoredItem
from karbor_backup_freezer.model.resource_types import DIRECTORY
from karbor_backup_openstack.resource_types import (
    IMAGE,
    PROJECT,
    SERVER,
    VOLUME,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DISK = Configuration.from_document(
    {"storages": {"disk": {"kind": "local", "path": "/srv"}}}
).storages["disk"]
PLACE = BackupLocation(container="/srv/karbor-backup/op", backup_name="n%", hostname="far")
WHERE = {
    "container": "/srv/karbor-backup/op",
    "backup_name": "n%%",
    "storage": "local",
    "hostname": "far",
}
ADMIN = {"action": "admin", "remove_older_than": "0"}
SELECTED: dict[Mode, tuple[str, dict[str, Any]]] = {
    Mode.NOVA: (SERVER, {"mode": "nova", "engine_name": "nova", "nova_inst_id": "id-1"}),
    Mode.CINDER: (VOLUME, {"mode": "cinder", "cinder_vol_id": "id-1"}),
    Mode.GLANCE: (IMAGE, {"mode": "glance", "engine_name": "glance", "glance_image_id": "id-1"}),
    Mode.TENANT: (PROJECT, {"mode": "nova", "engine_name": "nova", "project_id": "id-1"}),
}


def make_operation(verb: Verb = Verb.PROTECT, **options: Any) -> Operation:
    return Operation(
        id="op",
        verb=verb,
        backend="freezer",
        implementation="freezer",
        scope="s",
        resource=Resource(VOLUME, "id-1"),
        options={"backup_name": "n%", **options},
        created_at=NOW,
        deadline=NOW + timedelta(hours=1),
    )


def make_item(mode: Mode, kind: str = VOLUME, identifier: str = "id-1") -> BackupItem:
    return BackupItem(type=kind, id=identifier, mode=mode)


def make_stored_item(of: BackupItem, native: str = "") -> StoredItem:
    return StoredItem(item=of, record="r", time_stamp=1, native=native)


@pytest.mark.parametrize("mode", SELECTED)
def test_cloud_resources_are_selected_by_mode_engine_and_id(mode: Mode) -> None:
    kind, selection = SELECTED[mode]
    marks: dict[str, Any] = {"temp_resource_prefix": f"{job_id('op')}-3_"}
    if mode is not Mode.CINDER:
        marks["timeout"] = 3600
    backup = actions.backup_action(make_operation(), 3, make_item(mode, kind), PLACE, DISK)
    assert backup == {"action": "backup", **selection, **WHERE, **marks}

    restore = actions.restore_action(
        make_operation(Verb.RESTORE), 3, make_stored_item(make_item(mode, kind)), PLACE, DISK
    )
    assert restore == {"action": "restore", **selection, **WHERE, **marks}

    removal = actions.removal_action(make_item(mode, kind), PLACE, DISK)
    name = {"backup_name": "n%%/id-1"} if mode is Mode.GLANCE else {}
    assert removal == {**ADMIN, **selection, **WHERE, **name}
    assert actions.removal_for_action({**backup, "priority": None}) == removal


def test_native_backup_has_a_name_and_container_unique_to_its_operation() -> None:
    native = make_item(Mode.NATIVE)
    backup = actions.backup_action(make_operation(), 0, native, PLACE, DISK)
    assert (backup["mode"], backup["cindernative_vol_id"]) == ("cindernative", "id-1")
    assert backup["backup_name"] == "n%%_op"
    assert backup["cindernative_backup_container"] == "op"
    restore = actions.restore_action(
        make_operation(Verb.RESTORE), 0, make_stored_item(native, "b-1"), PLACE, DISK, target="new"
    )
    assert (restore["cindernative_vol_id"], restore["cindernative_backup_id"]) == ("new", "b-1")
    assert actions.removal_action(native, PLACE, DISK) is None
    assert actions.removal_for_action(backup) is None


def test_a_directory_is_backed_up_by_its_path_and_restored_to_one() -> None:
    tree = make_item(Mode.FS, DIRECTORY, "/data 100%")
    backup = actions.backup_action(make_operation(), 0, tree, PLACE, DISK)
    assert backup == {
        "action": "backup",
        "mode": "fs",
        "engine_name": "tar",
        "path_to_backup": "/data 100%%",
        **WHERE,
    }
    assert "path_to_backup" not in (actions.removal_for_action(backup) or {})

    tree = make_item(Mode.FS, DIRECTORY, "/data")
    plain = actions.restore_action(make_operation(), 0, make_stored_item(tree), PLACE, DISK)
    assert (plain["restore_abs_path"], plain["overwrite"]) == ("/data", False)
    asked = make_operation(Verb.RESTORE, restore_path="/else", overwrite=True)
    other = actions.restore_action(asked, 0, make_stored_item(tree), PLACE, DISK)
    assert (other["restore_abs_path"], other["overwrite"]) == ("/else", True)


@pytest.mark.parametrize(
    ("mode", "identifier", "match"),
    [(Mode.CINDER, "", "give the id"), (Mode.FS, "data", "absolute")],
)
def test_action_with_invalid_text_is_refused(mode: Mode, identifier: str, match: str) -> None:
    with pytest.raises(InvalidInput, match=match):
        actions.backup_action(make_operation(), 0, make_item(mode, VOLUME, identifier), PLACE, DISK)
