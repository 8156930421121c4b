"""Removing what is in a cloud: what goes, what is waited for, and what stays."""

from typing import Any

import pytest

from karbor_backup_core import Transient
from karbor_backup_freezer.cloud.things import Kind, Things, is_busy
from tests.backends.freezer.rebuild.conftest import cloud as cloud  # noqa: PLC0414 - a fixture
from tests.backends.freezer.rebuild.scene import Cloud


def volume(cloud: Cloud, status: str = "available") -> Any:
    made = cloud.sdk.block_storage.create_volume(name="data", size=1)
    cloud.pass_time()
    cloud.world.volumes.get(made.id).shown["status"] = status
    return cloud.sdk.block_storage.get_volume(made.id)


def test_things_are_listed_oldest_first(cloud: Cloud) -> None:
    made = [volume(cloud).id for _ in range(3)]
    assert [thing.id for thing in Things(cloud.services).all(Kind.VOLUME)] == made


def test_images_of_others_are_not_listed(cloud: Cloud) -> None:
    assert list(cloud.world.images.named("guest"))
    assert Things(cloud.services).all(Kind.IMAGE) == []


@pytest.mark.parametrize("kind", Kind)
def test_what_is_not_there_is_none(cloud: Cloud, kind: Kind) -> None:
    assert Things(cloud.services).get(kind, "nowhere") is None


def test_a_removal_is_pending_until_the_thing_is_gone(cloud: Cloud) -> None:
    things = Things(cloud.services)
    one = volume(cloud)
    removal = things.remove(Kind.VOLUME, [one])
    assert [left.id for left in removal.pending] == [one.id]
    cloud.pass_time()
    assert things.get(Kind.VOLUME, one.id) is None
    assert things.remove(Kind.VOLUME, [one]) == things.remove(Kind.VOLUME, [])


@pytest.mark.parametrize("status", ["creating", "in-use", "retyping", "deleting"])
def test_what_cannot_go_yet_is_waited_for(cloud: Cloud, status: str) -> None:
    one = volume(cloud, status)
    changes = cloud.changes
    removal = Things(cloud.services).remove(Kind.VOLUME, [one])
    assert ([left.id for left in removal.pending], removal.leftovers) == ([one.id], ())
    assert cloud.changes == changes


def test_what_is_refused_stays_with_the_clouds_words(cloud: Cloud) -> None:
    one = volume(cloud)
    cloud.sdk.block_storage.create_snapshot(volume_id=one.id, name="a user's own")
    cloud.pass_time()
    removal = Things(cloud.services).remove(Kind.VOLUME, [one])
    assert removal.pending == ()
    (left,) = removal.leftovers
    assert (left.kind, left.id) == ("volume", one.id)
    assert "have snapshots" in left.note


def test_what_has_changed_meanwhile_is_looked_at_again(cloud: Cloud) -> None:
    one = volume(cloud)
    cloud.world.volumes.get(one.id).shown["status"] = "in-use"
    removal = Things(cloud.services).remove(Kind.VOLUME, [one])
    assert ([left.id for left in removal.pending], removal.leftovers) == ([one.id], ())


def test_a_fault_that_may_pass_is_no_leftover(cloud: Cloud) -> None:
    one = volume(cloud)
    cloud.lost = cloud.changes + 1
    with pytest.raises(Transient):
        Things(cloud.services).remove(Kind.VOLUME, [one])


def test_a_server_with_a_task_is_busy(cloud: Cloud) -> None:
    made = cloud.sdk.compute.create_server(
        name="web",
        image_id=cloud.world.images.named("guest")[0].id,
        flavor_id=cloud.flavor.id,
        networks="auto",
    )
    things = Things(cloud.services)
    assert is_busy(Kind.SERVER, things.get(Kind.SERVER, made.id))
    cloud.pass_time()
    assert not is_busy(Kind.SERVER, things.get(Kind.SERVER, made.id))
    cloud.world.servers.get(made.id).shown["OS-EXT-STS:task_state"] = "image_snapshot"
    assert is_busy(Kind.SERVER, things.get(Kind.SERVER, made.id))
