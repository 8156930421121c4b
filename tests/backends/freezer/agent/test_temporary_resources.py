"""What an agent leaves behind is removed, and nothing else."""

from typing import Any

from karbor_backup_freezer.agent.temporary_resources import TemporaryResources
from karbor_backup_freezer.model.ids import job_id
from karbor_backup_openstack.resources import ResourceKind
from tests.backends.freezer.restore.conftest import cloud as cloud  # noqa: PLC0414 - a fixture
from tests.backends.freezer.restore.harness import RestoreHarness, restore_operation, volume_item

JOB = "0" * 32
OTHER = "1" * 32


def create_leftovers(cloud: RestoreHarness, job: str) -> list[str]:
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


def test_only_leftovers_of_the_job_are_removed(cloud: RestoreHarness) -> None:
    create_leftovers(cloud, OTHER)
    cloud.pass_time()
    before = cloud.list_resources()
    left = create_leftovers(cloud, JOB)
    temporary = TemporaryResources(cloud.services)
    first = temporary.remove_for_job(JOB)
    assert {(one.kind, one.id) for one in first.pending} == {
        (ResourceKind.SNAPSHOT, left[0].partition("/")[2]),
        (ResourceKind.VOLUME, left[1].partition("/")[2]),
    }
    # A volume that is being made cannot be removed yet.
    for _ in range(3):
        cloud.pass_time()
        last = temporary.remove_for_job(JOB)
    assert (last.pending, last.leftovers) == ((), ())
    (source,) = cloud.list_resources() - before
    assert source.startswith("volume/")


def test_list_leftovers_names_remaining_resources(cloud: RestoreHarness) -> None:
    left = create_leftovers(cloud, JOB)
    named = TemporaryResources(cloud.services).list_leftovers(JOB)
    assert sorted(one.id for one in named) == sorted(one.partition("/")[2] for one in left)
    assert all(JOB in one.note for one in named)


def test_a_volume_that_is_being_restored_is_named_with_its_state(cloud: RestoreHarness) -> None:
    item = volume_item()
    operation = restore_operation(item.resource)
    volume = cloud.agent_volume(operation, 0, item)
    volume.shown["status"] = "error"
    (left,) = TemporaryResources(cloud.services).list_leftovers(job_id(operation.id))
    assert (left.kind, left.id) == (ResourceKind.VOLUME, volume.id)
    assert "'data~17' in state error" in left.note


def test_refused_removal_is_a_leftover(cloud: RestoreHarness) -> None:
    left = create_leftovers(cloud, JOB)
    cloud.pass_time()
    volume = cloud.state.volumes.get(left[1].partition("/")[2])
    volume.shown["status"] = "error_deleting"
    removal = TemporaryResources(cloud.services).remove_for_job(JOB)
    assert [one.id for one in removal.leftovers] == [volume.id]
    assert "error_deleting" in removal.leftovers[0].note


def test_busy_resource_is_pending(cloud: RestoreHarness) -> None:
    create_leftovers(cloud, OTHER)
    temporary = TemporaryResources(cloud.services)
    left = create_leftovers(cloud, JOB)
    assert [one.id for one in temporary.list_pending(JOB)] == [left[1].partition("/")[2]]
    cloud.pass_time()
    assert temporary.list_pending(JOB) == ()
    temporary.remove_for_job(JOB)
    assert [one.kind for one in temporary.list_pending(JOB)] == [
        ResourceKind.VOLUME,
        ResourceKind.SNAPSHOT,
    ]
