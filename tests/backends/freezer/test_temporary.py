"""What an agent leaves behind is removed, and nothing else."""

from typing import Any

from karbor_backup_freezer.cloud.things import Kind
from karbor_backup_freezer.identifiers import job_id
from karbor_backup_freezer.temporary import Temporary
from tests.backends.freezer.rebuild.conftest import cloud as cloud  # noqa: PLC0414 - a fixture
from tests.backends.freezer.rebuild.scene import Cloud, restore_of, volume_piece

JOB = "0" * 32
OTHER = "1" * 32


def leave(cloud: Cloud, job: str) -> list[str]:
    """Leave a snapshot, a volume and an image as an agent does that dies; return their ids."""
    sdk: Any = cloud.sdk
    source = sdk.block_storage.create_volume(name="data", size=1)
    cloud.pass_time()
    name = f"{job}-0_backup_{source.id}"
    snapshot = sdk.block_storage.create_snapshot(volume_id=source.id, name=name, force=True)
    cloud.pass_time()
    copy = sdk.block_storage.create_volume(name=name, size=1, snapshot_id=snapshot.id)
    image = sdk.image.create_image(
        name=name, data=b"data", container_format="bare", disk_format="raw"
    )
    return [f"snapshot/{snapshot.id}", f"volume/{copy.id}", f"image/{image.id}"]


def test_what_a_job_has_left_is_removed_and_nothing_else(cloud: Cloud) -> None:
    leave(cloud, OTHER)
    cloud.pass_time()
    before = cloud.made()
    left = leave(cloud, JOB)
    temporary = Temporary(cloud.services)
    first = temporary.remove(JOB)
    assert {(one.kind, one.id) for one in first.pending} == {
        (Kind.SNAPSHOT, left[0].partition("/")[2]),
        (Kind.VOLUME, left[1].partition("/")[2]),
    }
    # A volume that is being made cannot be removed yet.
    for _ in range(3):
        cloud.pass_time()
        last = temporary.remove(JOB)
    assert (last.pending, last.leftovers) == ((), ())
    (source,) = cloud.made() - before
    assert source.startswith("volume/")


def test_what_is_there_still_is_named(cloud: Cloud) -> None:
    left = leave(cloud, JOB)
    named = Temporary(cloud.services).left(JOB)
    assert sorted(one.id for one in named) == sorted(one.partition("/")[2] for one in left)
    assert all(JOB in one.note for one in named)


def test_a_volume_that_is_being_restored_is_named_with_its_state(cloud: Cloud) -> None:
    piece = volume_piece()
    operation = restore_of(piece.resource)
    volume = cloud.agent_volume(operation, 0, piece)
    volume.shown["status"] = "error"
    (left,) = Temporary(cloud.services).left(job_id(operation.id))
    assert (left.kind, left.id) == (Kind.VOLUME, volume.id)
    assert "'data~17' in state error" in left.note


def test_what_cannot_be_removed_is_told(cloud: Cloud) -> None:
    left = leave(cloud, JOB)
    cloud.pass_time()
    volume = cloud.world.volumes.get(left[1].partition("/")[2])
    volume.shown["status"] = "error_deleting"
    removal = Temporary(cloud.services).remove(JOB)
    assert [one.id for one in removal.leftovers] == [volume.id]
    assert "error_deleting" in removal.leftovers[0].note


def test_what_the_cloud_works_on_is_pending(cloud: Cloud) -> None:
    leave(cloud, OTHER)
    temporary = Temporary(cloud.services)
    left = leave(cloud, JOB)
    assert [one.id for one in temporary.pending(JOB)] == [left[1].partition("/")[2]]
    cloud.pass_time()
    assert temporary.pending(JOB) == ()
    temporary.remove(JOB)
    assert [one.kind for one in temporary.pending(JOB)] == [Kind.VOLUME, Kind.SNAPSHOT]
