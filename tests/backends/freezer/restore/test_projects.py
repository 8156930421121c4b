"""A project's restore tells of every member, and is a success only when all are whole."""

import attrs
import pytest

from karbor_backup_core import Outcome, ProgressState, Resource, Result
from karbor_backup_freezer.model.items import BackupItem, Mode
from karbor_backup_openstack.server_spec import Attachment
from tests.backends.freezer.restore.harness import (
    PROJECT,
    SERVER,
    VOLUME,
    FakeContents,
    RestoreHarness,
    restore_operation,
    server_item,
    server_spec,
    stored_items,
    volume_item,
    with_failed_outcome,
)
from tests.backends.openstack.stub_cloud import PROJECT_ID

HERE = Resource(PROJECT, PROJECT_ID, "shop")


def two_servers(cloud: RestoreHarness) -> tuple[FakeContents, list[BackupItem]]:
    """Two servers, one with a data volume, and a volume of no server."""
    web, db = server_item("web"), server_item("db")
    data, alone = volume_item("data"), volume_item("")
    of_db = Attachment(volume=data.id, device="/dev/vdb", included=True)
    items = [web, db, data, alone]
    return (
        FakeContents(
            stored_items(*items), (server_spec(cloud, web), server_spec(cloud, db, of_db))
        ),
        items,
    )


def test_each_member_is_restored_under_its_own_name(cloud: RestoreHarness) -> None:
    contents, (web, db, data, alone) = two_servers(cloud)
    operation = restore_operation(HERE)
    cloud.agent_server(operation, 0, "web")
    cloud.agent_server(operation, 1, "db")
    volumes = [cloud.agent_volume(operation, 2, data), cloud.agent_volume(operation, 3, alone)]
    progress, _ = cloud.finish(operation, contents)
    assert progress.state is ProgressState.SUCCEEDED
    assert progress.resources[0] == Resource(PROJECT, PROJECT_ID, "new")
    assert {(r.type, r.name) for r in progress.resources[1:]} == {
        (SERVER, "new-web"),
        (SERVER, "new-db"),
        (VOLUME, "new-data"),
        (VOLUME, f"new-{alone.id}"),
    }
    became = {part.resource.id: part.restored for part in progress.parts}
    assert became.keys() == {web.id, db.id, data.id, alone.id}
    assert set(became.values()) == set(progress.resources[1:])
    (attachment,) = volumes[0].shown["attachments"]
    restored_db = became[db.id]
    assert restored_db is not None
    assert attachment["server_id"] == restored_db.id
    assert cloud.list_resources() == {
        *(f"server/{server.id}" for server in cloud.state.servers),
        *(f"volume/{volume.id}" for volume in volumes),
    }


def test_partial_restore_fails_and_keeps_complete_members(cloud: RestoreHarness) -> None:
    contents, (_, db, data, alone) = two_servers(cloud)
    operation = restore_operation(HERE)
    cloud.agent_server(operation, 0, "web")
    cloud.agent_server(operation, 1, "db")
    broken = cloud.agent_volume(operation, 2, data)
    broken.shown["status"] = "error"
    kept = cloud.agent_volume(operation, 3, alone)
    progress, notes = cloud.finish(operation, contents)
    assert progress.state is ProgressState.FAILED
    assert progress.reason.startswith("restored 2 of 4; ")
    failed = {part.resource.id for part in progress.parts if part.result is Result.FAILED}
    assert failed == {db.id, data.id}
    cloud.roll_back(with_failed_outcome(operation, progress), contents, notes)
    (server,) = cloud.state.servers
    assert server.name == "new-web"
    assert cloud.list_resources() == {f"server/{server.id}", f"volume/{kept.id}"}


def test_a_cancelled_restore_keeps_nothing(cloud: RestoreHarness) -> None:
    contents, (_, _, data, alone) = two_servers(cloud)
    operation = restore_operation(HERE)
    cloud.agent_volume(operation, 2, data)
    cloud.agent_volume(operation, 3, alone)
    progress, notes = cloud.finish(operation, contents)
    cancelled = Outcome(Result.CANCELLED, parts=progress.parts)
    cloud.roll_back(attrs.evolve(operation, outcome=cancelled), contents, notes)
    assert cloud.list_resources() == set()


def test_empty_project_is_restored_empty(cloud: RestoreHarness) -> None:
    progress, _ = cloud.finish(restore_operation(HERE), FakeContents())
    assert progress.state is ProgressState.SUCCEEDED
    assert progress.resources == (Resource(PROJECT, PROJECT_ID, "new"),)
    assert cloud.changes == 0


def test_servers_of_a_tenant_backup_are_matched_by_name(
    cloud: RestoreHarness,
) -> None:
    whole = BackupItem(type=PROJECT, id=PROJECT_ID, name="shop", mode=Mode.TENANT)
    servers = (server_spec(cloud, server_item("web")), server_spec(cloud, server_item("db")))
    contents = FakeContents(stored_items(whole), servers)
    operation = restore_operation(HERE)
    cloud.agent_server(operation, 0, "web")
    progress, notes = cloud.finish(operation, contents)
    assert progress.reason == (
        f"restored 1 of 2; {SERVER} {servers[1].id}: Freezer's restore has left no image of it"
    )
    cloud.agent_server(operation, 0, "db")
    progress, _ = cloud.finish(operation, contents, notes)
    assert progress.state is ProgressState.SUCCEEDED
    assert {resource.name for resource in progress.resources[1:]} == {"new-web", "new-db"}
    assert len(list(cloud.state.servers)) == 2


def test_servers_of_equal_name_in_a_tenant_backup_are_not_confused(
    cloud: RestoreHarness,
) -> None:
    whole = BackupItem(type=PROJECT, id=PROJECT_ID, name="shop", mode=Mode.TENANT)
    servers = (server_spec(cloud, server_item("web")), server_spec(cloud, server_item("web")))
    operation = restore_operation(HERE)
    for _ in servers:
        cloud.agent_server(operation, 0, "web")
    progress, notes = cloud.finish(operation, FakeContents(stored_items(whole), servers))
    assert progress.reason.startswith("restored 0 of 2; ")
    assert "several servers are called 'web'" in progress.reason
    cloud.roll_back(
        with_failed_outcome(operation, progress), FakeContents(stored_items(whole), servers), notes
    )
    assert cloud.list_resources() == set()


@pytest.mark.parametrize("ours_first", [True, False])
def test_images_of_two_restores_at_once_are_claimed_once_each(
    cloud: RestoreHarness, *, ours_first: bool
) -> None:
    image = BackupItem(type="OS::Glance::Image", id="i", name="golden", mode=Mode.GLANCE)
    contents = FakeContents(stored_items(image))
    formats = {"container_format": "bare", "disk_format": "raw"}
    for _ in range(2):
        cloud.sdk.image.create_image(name="golden~17", data=b"data", **formats)
    operations = [restore_operation(HERE), restore_operation(HERE)]
    if not ours_first:
        operations.reverse()
    steps = [cloud.rebuild.advance(operation, contents, {}) for operation in operations]
    images = {
        cloud.finish(operation, contents, step.restore_state)[0].resources[1].id
        for operation, step in zip(operations, steps, strict=True)
    }
    assert len(images) == 2
    assert {each.name for each in cloud.state.images if each.id in images} == {"new-golden"}
