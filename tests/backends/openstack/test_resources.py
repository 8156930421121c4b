"""Removing what is in a cloud: what goes, what is waited for, and what stays."""

from typing import Any

import pytest

from karbor_backup_core import Transient
from karbor_backup_openstack.resources import CloudResources, ResourceKind, is_busy
from tests.backends.freezer.restore.conftest import cloud as cloud  # noqa: PLC0414 - a fixture
from tests.backends.freezer.restore.harness import RestoreHarness


def create_volume(cloud: RestoreHarness, status: str = "available") -> Any:
    volume = cloud.sdk.block_storage.create_volume(name="data", size=1)
    cloud.pass_time()
    cloud.state.volumes.get(volume.id).shown["status"] = status
    return cloud.sdk.block_storage.get_volume(volume.id)


def test_resources_are_listed_oldest_first(cloud: RestoreHarness) -> None:
    volume = [create_volume(cloud).id for _ in range(3)]
    assert [
        thing.id for thing in CloudResources(cloud.services).list_all(ResourceKind.VOLUME)
    ] == volume


def test_images_of_other_projects_are_not_listed(cloud: RestoreHarness) -> None:
    assert list(cloud.state.images.find_by_name("guest"))
    assert CloudResources(cloud.services).list_all(ResourceKind.IMAGE) == []


@pytest.mark.parametrize("kind", ResourceKind)
def test_get_of_unknown_resource_returns_none(cloud: RestoreHarness, kind: ResourceKind) -> None:
    assert CloudResources(cloud.services).get(kind, "nowhere") is None


def test_removal_is_pending_until_the_resource_is_gone(cloud: RestoreHarness) -> None:
    things = CloudResources(cloud.services)
    one = create_volume(cloud)
    removal = things.remove_resources(ResourceKind.VOLUME, [one])
    assert [left.id for left in removal.pending] == [one.id]
    cloud.pass_time()
    assert things.get(ResourceKind.VOLUME, one.id) is None
    assert things.remove_resources(ResourceKind.VOLUME, [one]) == things.remove_resources(
        ResourceKind.VOLUME, []
    )


@pytest.mark.parametrize("status", ["creating", "in-use", "retyping", "deleting"])
def test_resource_in_a_busy_state_is_pending(cloud: RestoreHarness, status: str) -> None:
    one = create_volume(cloud, status)
    changes = cloud.changes
    removal = CloudResources(cloud.services).remove_resources(ResourceKind.VOLUME, [one])
    assert ([left.id for left in removal.pending], removal.leftovers) == ([one.id], ())
    assert cloud.changes == changes


def test_refused_removal_is_a_leftover_with_the_clouds_reason(cloud: RestoreHarness) -> None:
    one = create_volume(cloud)
    cloud.sdk.block_storage.create_snapshot(volume_id=one.id, name="a user's own")
    cloud.pass_time()
    removal = CloudResources(cloud.services).remove_resources(ResourceKind.VOLUME, [one])
    assert removal.pending == ()
    (left,) = removal.leftovers
    assert (left.kind, left.id) == ("volume", one.id)
    assert "have snapshots" in left.note


def test_removal_after_a_state_change_is_pending(cloud: RestoreHarness) -> None:
    one = create_volume(cloud)
    cloud.state.volumes.get(one.id).shown["status"] = "in-use"
    removal = CloudResources(cloud.services).remove_resources(ResourceKind.VOLUME, [one])
    assert ([left.id for left in removal.pending], removal.leftovers) == ([one.id], ())


def test_transient_error_of_a_removal_is_raised(cloud: RestoreHarness) -> None:
    one = create_volume(cloud)
    cloud.lost = cloud.changes + 1
    with pytest.raises(Transient):
        CloudResources(cloud.services).remove_resources(ResourceKind.VOLUME, [one])


def test_a_server_with_a_task_is_busy(cloud: RestoreHarness) -> None:
    server = cloud.sdk.compute.create_server(
        name="web",
        image_id=cloud.state.images.find_by_name("guest")[0].id,
        flavor_id=cloud.flavor.id,
        networks="auto",
    )
    things = CloudResources(cloud.services)
    assert is_busy(ResourceKind.SERVER, things.get(ResourceKind.SERVER, server.id))
    cloud.pass_time()
    assert not is_busy(ResourceKind.SERVER, things.get(ResourceKind.SERVER, server.id))
    cloud.state.servers.get(server.id).shown["OS-EXT-STS:task_state"] = "image_snapshot"
    assert is_busy(ResourceKind.SERVER, things.get(ResourceKind.SERVER, server.id))
