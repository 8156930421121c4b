"""Volumes come back as they were, or the rebuild says why not."""

from datetime import timedelta

import attrs
import pytest

from karbor_backup_core import InvalidInput, Operation, ProgressState, Resource, Transient
from karbor_backup_freezer.cloud.faults import Refused
from karbor_backup_freezer.pieces import Mode, Piece
from sandbox.scripted_cloud.world import Thing
from tests.backends.freezer.rebuild.scene import (
    GIB,
    VOLUME,
    Cloud,
    Contents,
    ended,
    restore_of,
    stored,
    volume_piece,
)


def test_a_volume_gets_back_what_its_source_had(cloud: Cloud) -> None:
    piece = volume_piece(
        volume_type="fast",
        metadata={"owner": "me", "self": "x"},
        image_metadata={"os_type": "linux"},
        description="precious",
    )
    operation, contents = restore_of(piece.resource), Contents(stored(piece))
    made = cloud.agent_volume(operation, 0, piece)
    progress, _ = cloud.finish(operation, contents)
    assert progress.state is ProgressState.SUCCEEDED
    assert progress.resources == (Resource(VOLUME, made.id, "new"),)
    assert (progress.parts, progress.checks, progress.leftovers) == ((), (), ())
    shown = made.shown
    assert (shown["name"], shown["description"]) == ("new", "precious")
    assert (shown["volume_type"], shown["bootable"]) == ("fast", "false")
    assert shown["volume_image_metadata"] == {"os_type": "linux"}
    assert shown["metadata"] == {
        "owner": "me",
        "self": "x",
        "karbor_backup_operation": operation.id,
        "karbor_backup_member": piece.id,
    }


def test_a_bootable_volume_stays_bootable(cloud: Cloud) -> None:
    piece = volume_piece(bootable=True)
    operation = restore_of(piece.resource)
    made = cloud.agent_volume(operation, 0, piece)
    cloud.finish(operation, Contents(stored(piece)))
    assert made.shown["bootable"] == "true"


def test_each_of_two_restores_at_once_finds_its_own(cloud: Cloud) -> None:
    piece = volume_piece()
    contents = Contents(stored(piece))
    operations = [restore_of(piece.resource), restore_of(piece.resource)]
    made = [cloud.agent_volume(operation, 0, piece) for operation in operations]
    found = [cloud.finish(o, contents)[0].resources[0].id for o in reversed(operations)]
    assert found == [made[1].id, made[0].id]


def test_a_step_that_is_repeated_changes_nothing_more(cloud: Cloud) -> None:
    piece = volume_piece(volume_type="fast", metadata={"a": "b"})
    operation, contents = restore_of(piece.resource), Contents(stored(piece))
    cloud.agent_volume(operation, 0, piece)
    first, notes = cloud.finish(operation, contents)
    changes = cloud.changes
    assert cloud.finish(operation, contents, notes)[0] == first
    assert cloud.finish(operation, contents)[0] == first
    assert cloud.changes == changes


@pytest.mark.parametrize("length", [0, GIB - 1])
def test_a_volume_of_too_few_bytes_is_a_failure(cloud: Cloud, length: int) -> None:
    piece = volume_piece()
    operation, contents = restore_of(piece.resource), Contents(stored(piece))
    cloud.agent_volume(operation, 0, piece, length)
    progress, _ = cloud.finish(operation, contents)
    assert progress.state is ProgressState.FAILED
    assert f"Freezer brought back {length} of {GIB} bytes" in progress.reason


def test_a_volume_that_is_not_there_is_a_failure(cloud: Cloud) -> None:
    piece = volume_piece()
    other = restore_of(piece.resource)
    cloud.agent_volume(other, 0, piece)
    progress, _ = cloud.finish(restore_of(piece.resource), Contents(stored(piece)))
    assert progress.state is ProgressState.FAILED
    assert progress.reason == f"{VOLUME} {piece.id}: Freezer's restore has left no volume of it"


def test_a_volume_in_error_is_a_failure_and_is_removed(cloud: Cloud) -> None:
    piece = volume_piece()
    operation, contents = restore_of(piece.resource), Contents(stored(piece))
    made = cloud.agent_volume(operation, 0, piece)
    made.shown["status"] = "error"
    progress, notes = cloud.finish(operation, contents)
    assert progress.reason.endswith(f"Cinder put the new volume {made.id} in state error")
    assert cloud.made() == {f"volume/{made.id}"}
    undone, _ = cloud.undo(ended(operation, progress), contents, notes)
    assert (undone.state, undone.leftovers) == (ProgressState.SUCCEEDED, ())
    assert cloud.made() == set()


def test_a_volume_that_goes_away_meanwhile_is_a_failure(cloud: Cloud) -> None:
    piece = volume_piece(volume_type="fast")
    operation, contents = restore_of(piece.resource), Contents(stored(piece))
    made = cloud.agent_volume(operation, 0, piece)
    step = cloud.rebuild.begin(operation, contents, {})
    assert step.progress.state is ProgressState.RUNNING
    cloud.world.volumes.remove(made)
    progress, _ = cloud.finish(operation, contents, step.notes)
    assert progress.state is ProgressState.FAILED
    assert f"volume {made.id}, made of it, is gone" in progress.reason


def test_a_type_that_cinder_does_not_give_is_told(cloud: Cloud) -> None:
    piece = volume_piece(volume_type="gone")
    operation = restore_of(piece.resource)
    made = cloud.agent_volume(operation, 0, piece)
    progress, _ = cloud.finish(operation, Contents(stored(piece)))
    assert progress.state is ProgressState.SUCCEEDED
    (check,) = progress.checks
    assert (check.name, check.verified) == (f"type of volume {made.id}", False)
    assert "'gone'" in check.reason


def test_cinders_own_backup_gets_a_new_volume_once(cloud: Cloud) -> None:
    piece = volume_piece(mode=Mode.NATIVE, volume_type="fast", metadata={"a": "b"})
    operation, contents = restore_of(piece.resource), Contents(stored(piece))
    step = cloud.rebuild.prepare(operation, contents, {})
    assert step.progress.state is ProgressState.RUNNING
    again = cloud.rebuild.prepare(operation, contents, {})
    assert again == step
    cloud.wait(operation, contents, step.notes)
    step = cloud.rebuild.prepare(operation, contents, step.notes)
    assert step.progress.state is ProgressState.READY
    made = cloud.world.volumes.get(cloud.rebuild.native_target(step.notes, piece))
    assert (made.shown["size"], made.shown["volume_type"], made.name) == (1, "fast", "new")
    # Cinder replaces a volume's metadata by those of the backup.
    made.shown.update(status="restoring-backup", metadata={"a": "b"})
    step = cloud.rebuild.begin(operation, contents, step.notes)
    assert step.progress.state is ProgressState.RUNNING
    made.shown["status"] = "available"
    progress, _ = cloud.finish(operation, contents, step.notes)
    assert progress.resources == (Resource(VOLUME, made.id, "new"),)
    assert made.shown["metadata"]["karbor_backup_operation"] == operation.id


def test_a_native_restore_that_fails_is_undone_though_its_mark_is_gone(cloud: Cloud) -> None:
    piece = volume_piece(mode=Mode.NATIVE)
    operation, contents = restore_of(piece.resource), Contents(stored(piece))
    step = cloud.rebuild.prepare(operation, contents, {})
    cloud.wait(operation, contents, step.notes)
    made = cloud.world.volumes.get(cloud.rebuild.native_target(step.notes, piece))
    made.shown.update(status="error_restoring", metadata={})
    progress, notes = cloud.finish(operation, contents, step.notes)
    assert "error_restoring" in progress.reason
    cloud.undo(ended(operation, progress), contents, notes)
    assert cloud.made() == set()


def test_a_volume_that_is_written_over_is_neither_changed_nor_removed(cloud: Cloud) -> None:
    piece = volume_piece(mode=Mode.NATIVE)
    source = cloud.world.volumes.add(
        "", {"status": "available", "size": 1, "name": "data"}, identifier=piece.id
    )
    operation = restore_of(piece.resource, overwrite_volume=True)
    contents = Contents(stored(piece))
    step = cloud.rebuild.prepare(operation, contents, {})
    assert step.progress.state is ProgressState.READY
    assert cloud.rebuild.native_target(step.notes, piece) == piece.id
    progress, notes = cloud.finish(operation, contents, step.notes)
    assert progress.resources == (piece.resource,)
    undone, _ = cloud.undo(ended(operation, progress), contents, notes)
    assert [left.id for left in undone.leftovers] == [piece.id]
    assert source.shown == {"id": piece.id, "status": "available", "size": 1, "name": "data"}


def test_a_refused_volume_is_told_in_one_line(cloud: Cloud) -> None:
    piece = volume_piece(mode=Mode.NATIVE, availability_zone="moon")
    operation = restore_of(piece.resource)
    with pytest.raises((Refused, InvalidInput), match="moon"):
        cloud.rebuild.prepare(operation, Contents(stored(piece)), {})


def test_no_lost_reply_makes_a_second_volume(cloud: Cloud) -> None:
    piece = volume_piece(mode=Mode.NATIVE, volume_type="fast", metadata={"a": "b"})
    operation, contents = restore_of(piece.resource), Contents(stored(piece))
    cloud.lost = 1
    with pytest.raises(Transient):
        cloud.rebuild.prepare(operation, contents, {})
    cloud.rebuild.prepare(operation, contents, {})
    assert len(cloud.made()) == 1


def elsewhere(cloud: Cloud, operation: Operation, piece: Piece) -> Thing:
    """Let the agent's volume be in another zone than its source was."""
    made = cloud.agent_volume(operation, 0, piece)
    made.content = b"data"
    made.shown["availability_zone"] = "elsewhere"
    return made


def test_a_volume_in_another_zone_is_made_again_in_its_own(cloud: Cloud) -> None:
    piece = volume_piece(volume_type="fast", metadata={"a": "b"}, image_metadata={"x": "y"})
    operation, contents = restore_of(piece.resource), Contents(stored(piece))
    agents = elsewhere(cloud, operation, piece)
    progress, notes = cloud.finish(operation, contents)
    assert (progress.state, progress.checks) == (ProgressState.SUCCEEDED, ())
    made = cloud.world.volumes.get(progress.resources[0].id)
    assert made.id != agents.id
    assert made.content == b"data"
    shown = made.shown
    assert (shown["availability_zone"], shown["volume_type"]) == ("nova", "fast")
    assert (shown["name"], shown["metadata"]["a"]) == ("new", "b")
    assert (shown["volume_image_metadata"], shown["bootable"]) == ({"x": "y"}, "false")
    assert cloud.made() == {f"volume/{made.id}"}
    assert cloud.finish(operation, contents, notes)[0] == progress
    assert cloud.finish(operation, contents)[0].resources == progress.resources


def test_a_volume_whose_zone_takes_none_stays_where_it_is_and_is_told(cloud: Cloud) -> None:
    piece = volume_piece(availability_zone="moon")
    operation, contents = restore_of(piece.resource), Contents(stored(piece))
    made = cloud.agent_volume(operation, 0, piece)
    progress, _ = cloud.finish(operation, contents)
    assert progress.resources == (Resource(VOLUME, made.id, "new"),)
    (check,) = progress.checks
    assert check.reason.startswith("it is in zone nova and its source was in moon: ")
    assert cloud.made() == {f"volume/{made.id}"}


def test_no_lost_reply_makes_a_volume_twice_in_its_zone(cloud: Cloud) -> None:
    for lost in range(1, 10):
        piece = volume_piece(metadata={"a": "b"})
        operation, contents = restore_of(piece.resource), Contents(stored(piece))
        elsewhere(cloud, operation, piece)
        cloud.lost = cloud.changes + lost
        progress, notes = cloud.finish_despite_faults(operation, contents)
        assert progress.state is ProgressState.SUCCEEDED
        assert cloud.made() == {f"volume/{progress.resources[0].id}"}
        cloud.undo(operation, contents, notes)
        assert cloud.made() == set()


def test_a_volume_that_failed_before_cinder_noted_its_image_is_named(cloud: Cloud) -> None:
    piece = volume_piece()
    operation, contents = restore_of(piece.resource), Contents(stored(piece))
    sdk = cloud.sdk.block_storage
    failed = sdk.create_volume(name="data~17", size=1)
    others = [sdk.create_volume(name=name, size=1) for name in ("data", "data~17b", "my data~17")]
    cloud.pass_time()
    cloud.world.volumes.get(failed.id).shown["status"] = "error"
    progress, notes = cloud.finish(operation, contents)
    assert progress.state is ProgressState.FAILED
    (named,) = cloud.rebuild.unproved(operation, contents)
    assert named.id == failed.id
    assert "in state error; it may be of this restore" in named.note
    undone, _ = cloud.undo(ended(operation, progress), contents, notes)
    assert undone.leftovers == (named,)
    assert cloud.made() == {f"volume/{volume.id}" for volume in (failed, *others)}
    later = attrs.evolve(operation, created_at=operation.created_at + timedelta(hours=1))
    assert cloud.rebuild.unproved(later, contents) == ()
