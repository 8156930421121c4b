"""Volumes come back as they were, or the rebuild says why not."""

from datetime import timedelta

import attrs
import pytest

from karbor_backup_core import InvalidInput, Operation, ProgressState, Resource, Transient
from karbor_backup_freezer.model.items import BackupItem, Mode
from karbor_backup_openstack.errors import Refused
from tests.backends.freezer.restore.harness import (
    GIB,
    VOLUME,
    FakeContents,
    RestoreHarness,
    restore_operation,
    stored_items,
    volume_item,
    with_failed_outcome,
)
from tests.support.scripted_cloud.state import FakeResource


def test_restored_volume_has_the_properties_of_its_source(cloud: RestoreHarness) -> None:
    item = volume_item(
        volume_type="fast",
        metadata={"owner": "me", "self": "x"},
        image_metadata={"os_type": "linux"},
        description="precious",
    )
    operation, contents = restore_operation(item.resource), FakeContents(stored_items(item))
    volume = cloud.agent_volume(operation, 0, item)
    progress, _ = cloud.finish(operation, contents)
    assert progress.state is ProgressState.SUCCEEDED
    assert progress.resources == (Resource(VOLUME, volume.id, "new"),)
    assert (progress.parts, progress.checks, progress.leftovers) == ((), (), ())
    shown = volume.shown
    assert (shown["name"], shown["description"]) == ("new", "precious")
    assert (shown["volume_type"], shown["bootable"]) == ("fast", "false")
    assert shown["volume_image_metadata"] == {"os_type": "linux"}
    assert shown["metadata"] == {
        "owner": "me",
        "self": "x",
        "karbor_backup_operation": operation.id,
        "karbor_backup_member": item.id,
    }


def test_a_bootable_volume_stays_bootable(cloud: RestoreHarness) -> None:
    item = volume_item(bootable=True)
    operation = restore_operation(item.resource)
    volume = cloud.agent_volume(operation, 0, item)
    cloud.finish(operation, FakeContents(stored_items(item)))
    assert volume.shown["bootable"] == "true"


def test_concurrent_restores_find_their_own_volumes(cloud: RestoreHarness) -> None:
    item = volume_item()
    contents = FakeContents(stored_items(item))
    operations = [restore_operation(item.resource), restore_operation(item.resource)]
    volumes = [cloud.agent_volume(operation, 0, item) for operation in operations]
    restored_ids = [cloud.finish(o, contents)[0].resources[0].id for o in reversed(operations)]
    assert restored_ids == [volumes[1].id, volumes[0].id]


def test_repeated_step_changes_nothing(cloud: RestoreHarness) -> None:
    item = volume_item(volume_type="fast", metadata={"a": "b"})
    operation, contents = restore_operation(item.resource), FakeContents(stored_items(item))
    cloud.agent_volume(operation, 0, item)
    first, notes = cloud.finish(operation, contents)
    changes = cloud.changes
    assert cloud.finish(operation, contents, notes)[0] == first
    assert cloud.finish(operation, contents)[0] == first
    assert cloud.changes == changes


@pytest.mark.parametrize("length", [0, GIB - 1])
def test_volume_smaller_than_its_data_is_a_failure(cloud: RestoreHarness, length: int) -> None:
    item = volume_item()
    operation, contents = restore_operation(item.resource), FakeContents(stored_items(item))
    cloud.agent_volume(operation, 0, item, length)
    progress, _ = cloud.finish(operation, contents)
    assert progress.state is ProgressState.FAILED
    assert f"Freezer brought back {length} of {GIB} bytes" in progress.reason


def test_missing_volume_is_a_failure(cloud: RestoreHarness) -> None:
    item = volume_item()
    other = restore_operation(item.resource)
    cloud.agent_volume(other, 0, item)
    progress, _ = cloud.finish(restore_operation(item.resource), FakeContents(stored_items(item)))
    assert progress.state is ProgressState.FAILED
    assert progress.reason == f"{VOLUME} {item.id}: Freezer's restore has left no volume of it"


def test_a_volume_in_error_is_a_failure_and_is_removed(cloud: RestoreHarness) -> None:
    item = volume_item()
    operation, contents = restore_operation(item.resource), FakeContents(stored_items(item))
    volume = cloud.agent_volume(operation, 0, item)
    volume.shown["status"] = "error"
    progress, notes = cloud.finish(operation, contents)
    assert progress.reason.endswith(f"Cinder put the new volume {volume.id} in state error")
    assert cloud.list_resources() == {f"volume/{volume.id}"}
    undone, _ = cloud.roll_back(with_failed_outcome(operation, progress), contents, notes)
    assert (undone.state, undone.leftovers) == (ProgressState.SUCCEEDED, ())
    assert cloud.list_resources() == set()


def test_volume_deleted_during_the_restore_is_a_failure(cloud: RestoreHarness) -> None:
    item = volume_item(volume_type="fast")
    operation, contents = restore_operation(item.resource), FakeContents(stored_items(item))
    volume = cloud.agent_volume(operation, 0, item)
    step = cloud.rebuild.advance(operation, contents, {})
    assert step.progress.state is ProgressState.RUNNING
    cloud.state.volumes.remove(volume)
    progress, _ = cloud.finish(operation, contents, step.restore_state)
    assert progress.state is ProgressState.FAILED
    assert f"volume {volume.id}, made of it, is gone" in progress.reason


def test_missing_volume_type_is_reported(cloud: RestoreHarness) -> None:
    item = volume_item(volume_type="gone")
    operation = restore_operation(item.resource)
    volume = cloud.agent_volume(operation, 0, item)
    progress, _ = cloud.finish(operation, FakeContents(stored_items(item)))
    assert progress.state is ProgressState.SUCCEEDED
    (check,) = progress.checks
    assert (check.name, check.verified) == (f"type of volume {volume.id}", False)
    assert "'gone'" in check.reason


def test_native_restore_creates_one_new_volume(cloud: RestoreHarness) -> None:
    item = volume_item(mode=Mode.NATIVE, volume_type="fast", metadata={"a": "b"})
    operation, contents = restore_operation(item.resource), FakeContents(stored_items(item))
    step = cloud.rebuild.prepare(operation, contents, {})
    assert step.progress.state is ProgressState.RUNNING
    again = cloud.rebuild.prepare(operation, contents, {})
    assert again == step
    cloud.wait_until_ready(step.restore_state)
    step = cloud.rebuild.prepare(operation, contents, step.restore_state)
    assert step.progress.state is ProgressState.READY
    volume = cloud.state.volumes.get(cloud.rebuild.native_target(step.restore_state, item))
    assert (volume.shown["size"], volume.shown["volume_type"], volume.name) == (1, "fast", "new")
    # Cinder replaces a volume's metadata by those of the backup.
    volume.shown.update(status="restoring-backup", metadata={"a": "b"})
    step = cloud.rebuild.advance(operation, contents, step.restore_state)
    assert step.progress.state is ProgressState.RUNNING
    volume.shown["status"] = "available"
    progress, _ = cloud.finish(operation, contents, step.restore_state)
    assert progress.resources == (Resource(VOLUME, volume.id, "new"),)
    assert volume.shown["metadata"]["karbor_backup_operation"] == operation.id


def test_failed_native_restore_is_rolled_back_when_its_mark_is_gone(
    cloud: RestoreHarness,
) -> None:
    item = volume_item(mode=Mode.NATIVE)
    operation, contents = restore_operation(item.resource), FakeContents(stored_items(item))
    step = cloud.rebuild.prepare(operation, contents, {})
    cloud.wait_until_ready(step.restore_state)
    volume = cloud.state.volumes.get(cloud.rebuild.native_target(step.restore_state, item))
    volume.shown.update(status="error_restoring", metadata={})
    progress, notes = cloud.finish(operation, contents, step.restore_state)
    assert "error_restoring" in progress.reason
    cloud.roll_back(with_failed_outcome(operation, progress), contents, notes)
    assert cloud.list_resources() == set()


def test_overwritten_volume_is_neither_changed_nor_removed(
    cloud: RestoreHarness,
) -> None:
    item = volume_item(mode=Mode.NATIVE)
    source = cloud.state.volumes.add(
        "", {"status": "available", "size": 1, "name": "data"}, identifier=item.id
    )
    operation = restore_operation(item.resource, overwrite_volume=True)
    contents = FakeContents(stored_items(item))
    step = cloud.rebuild.prepare(operation, contents, {})
    assert step.progress.state is ProgressState.READY
    assert cloud.rebuild.native_target(step.restore_state, item) == item.id
    progress, notes = cloud.finish(operation, contents, step.restore_state)
    assert progress.resources == (item.resource,)
    undone, _ = cloud.roll_back(with_failed_outcome(operation, progress), contents, notes)
    assert [left.id for left in undone.leftovers] == [item.id]
    assert source.shown == {"id": item.id, "status": "available", "size": 1, "name": "data"}


def test_native_restore_to_an_unknown_zone_is_refused(cloud: RestoreHarness) -> None:
    item = volume_item(mode=Mode.NATIVE, availability_zone="moon")
    operation = restore_operation(item.resource)
    with pytest.raises((Refused, InvalidInput), match="moon"):
        cloud.rebuild.prepare(operation, FakeContents(stored_items(item)), {})


def test_lost_reply_creates_no_second_volume(cloud: RestoreHarness) -> None:
    item = volume_item(mode=Mode.NATIVE, volume_type="fast", metadata={"a": "b"})
    operation, contents = restore_operation(item.resource), FakeContents(stored_items(item))
    cloud.lost = 1
    with pytest.raises(Transient):
        cloud.rebuild.prepare(operation, contents, {})
    cloud.rebuild.prepare(operation, contents, {})
    assert len(cloud.list_resources()) == 1


def move_to_other_zone(
    cloud: RestoreHarness, operation: Operation, item: BackupItem
) -> FakeResource:
    """Let the agent's volume be in another zone than its source was."""
    volume = cloud.agent_volume(operation, 0, item)
    volume.content = b"data"
    volume.shown["availability_zone"] = "elsewhere"
    return volume


def test_volume_in_another_zone_is_recreated_in_its_own(cloud: RestoreHarness) -> None:
    item = volume_item(volume_type="fast", metadata={"a": "b"}, image_metadata={"x": "y"})
    operation, contents = restore_operation(item.resource), FakeContents(stored_items(item))
    agents = move_to_other_zone(cloud, operation, item)
    progress, notes = cloud.finish(operation, contents)
    assert (progress.state, progress.checks) == (ProgressState.SUCCEEDED, ())
    volume = cloud.state.volumes.get(progress.resources[0].id)
    assert volume.id != agents.id
    assert volume.content == b"data"
    shown = volume.shown
    assert (shown["availability_zone"], shown["volume_type"]) == ("nova", "fast")
    assert (shown["name"], shown["metadata"]["a"]) == ("new", "b")
    assert (shown["volume_image_metadata"], shown["bootable"]) == ({"x": "y"}, "false")
    assert cloud.list_resources() == {f"volume/{volume.id}"}
    assert cloud.finish(operation, contents, notes)[0] == progress
    assert cloud.finish(operation, contents)[0].resources == progress.resources


def test_volume_stays_and_is_reported_when_its_zone_cannot_be_used(
    cloud: RestoreHarness,
) -> None:
    item = volume_item(availability_zone="moon")
    operation, contents = restore_operation(item.resource), FakeContents(stored_items(item))
    volume = cloud.agent_volume(operation, 0, item)
    progress, _ = cloud.finish(operation, contents)
    assert progress.resources == (Resource(VOLUME, volume.id, "new"),)
    (check,) = progress.checks
    assert check.reason.startswith("it is in zone nova and its source was in moon: ")
    assert cloud.list_resources() == {f"volume/{volume.id}"}


def test_lost_reply_recreates_a_volume_once_in_its_zone(cloud: RestoreHarness) -> None:
    for lost in range(1, 10):
        item = volume_item(metadata={"a": "b"})
        operation, contents = restore_operation(item.resource), FakeContents(stored_items(item))
        move_to_other_zone(cloud, operation, item)
        cloud.lost = cloud.changes + lost
        progress, notes = cloud.finish_despite_faults(operation, contents)
        assert progress.state is ProgressState.SUCCEEDED
        assert cloud.list_resources() == {f"volume/{progress.resources[0].id}"}
        cloud.roll_back(operation, contents, notes)
        assert cloud.list_resources() == set()


def test_failed_volume_without_image_metadata_is_named(cloud: RestoreHarness) -> None:
    item = volume_item()
    operation, contents = restore_operation(item.resource), FakeContents(stored_items(item))
    sdk = cloud.sdk.block_storage
    failed = sdk.create_volume(name="data~17", size=1)
    others = [sdk.create_volume(name=name, size=1) for name in ("data", "data~17b", "my data~17")]
    cloud.pass_time()
    cloud.state.volumes.get(failed.id).shown["status"] = "error"
    progress, notes = cloud.finish(operation, contents)
    assert progress.state is ProgressState.FAILED
    (named,) = cloud.rebuild.find_unproven_volumes(operation, contents)
    assert named.id == failed.id
    assert "in state error; it may be of this restore" in named.note
    undone, _ = cloud.roll_back(with_failed_outcome(operation, progress), contents, notes)
    assert undone.leftovers == (named,)
    assert cloud.list_resources() == {f"volume/{volume.id}" for volume in (failed, *others)}
    later = attrs.evolve(operation, created_at=operation.created_at + timedelta(hours=1))
    assert cloud.rebuild.find_unproven_volumes(later, contents) == ()
