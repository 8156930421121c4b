"""Volumes, snapshots, Cinder's own backups and images, as openstacksdk sees them."""

from typing import Any

import pytest
from openstack.exceptions import BadRequestException, NotFoundException

from tests.support.tests.scripted_cloud.conftest import CloudHarness


def _volume(harness: CloudHarness, demo: Any, **asked: Any) -> Any:
    """Make a volume that is ready, with content."""
    volume = demo.block_storage.create_volume(size=1, **asked)
    harness.work()
    harness.state.volumes.get(volume.id).content = b"content"
    return demo.block_storage.get_volume(volume.id)


def test_volume_is_created_and_deleted_in_steps(harness: CloudHarness, demo: Any) -> None:
    volume = demo.block_storage.create_volume(size=1, name="Zürich ☃", metadata={"a": "b"})
    assert demo.block_storage.get_volume(volume.id).status == "creating"
    harness.work()
    volume = demo.block_storage.get_volume(volume.id)
    assert (volume.status, volume.name, volume.metadata) == ("available", "Zürich ☃", {"a": "b"})
    demo.block_storage.delete_volume(volume.id)
    assert demo.block_storage.get_volume(volume.id).status == "deleting"
    harness.work()
    with pytest.raises(NotFoundException):
        demo.block_storage.get_volume(volume.id)


def test_volume_shows_its_source_image(harness: CloudHarness, demo: Any) -> None:
    (image,) = demo.image.images()
    volume = _volume(harness, demo, image_id=image.id)
    assert volume.is_bootable
    assert volume.volume_image_metadata["image_name"] == image.name


def test_properties_of_a_volume_are_changed(harness: CloudHarness, demo: Any) -> None:
    volume = _volume(harness, demo)
    # As Cinder's API has them: some versions of openstacksdk send other bodies.
    for action in (
        {"os-set_bootable": {"bootable": True}},
        {"os-set_image_metadata": {"metadata": {"os": "none", "x": "y"}}},
        {"os-unset_image_metadata": {"key": "x"}},
        {"os-retype": {"new_type": "fast", "migration_policy": "on-demand"}},
    ):
        assert demo.block_storage.post(f"/volumes/{volume.id}/action", json=action).ok
    demo.block_storage.update_volume(volume.id, name="new", metadata={"k": "v"})
    assert demo.block_storage.get_volume(volume.id).status == "retyping"
    harness.work()
    changed = demo.block_storage.get_volume(volume.id)
    assert (changed.name, changed.metadata, changed.volume_type) == ("new", {"k": "v"}, "fast")
    assert changed.is_bootable
    assert changed.volume_image_metadata == {"os": "none"}


def test_snapshot_blocks_deletion_of_its_volume_and_creates_another(
    harness: CloudHarness, demo: Any
) -> None:
    volume = _volume(harness, demo)
    snapshot = demo.block_storage.create_snapshot(volume_id=volume.id, name="s")
    harness.work()
    with pytest.raises(BadRequestException, match="have snapshots"):
        demo.block_storage.delete_volume(volume.id)
    copy = demo.block_storage.create_volume(snapshot_id=snapshot.id)
    assert harness.state.volumes.get(copy.id).content == b"content"
    demo.block_storage.delete_snapshot(snapshot.id)
    harness.work()
    demo.block_storage.delete_volume(volume.id)


def test_native_backup_restores_content_and_metadata(harness: CloudHarness, demo: Any) -> None:
    volume = _volume(harness, demo, metadata={"a": "b"})
    backup = demo.block_storage.create_backup(volume_id=volume.id, name="b", container="c")
    assert demo.block_storage.get_backup(backup.id).status == "creating"
    harness.work()
    listed = list(demo.block_storage.backups(details=True))
    assert [(b.id, b.status, b.volume_id) for b in listed] == [(backup.id, "available", volume.id)]
    target = demo.block_storage.create_volume(size=1, metadata={"mine": "yes"})
    harness.work()
    backup.restore(demo.block_storage, volume_id=target.id)
    assert demo.block_storage.get_volume(target.id).status == "restoring-backup"
    harness.work()
    assert demo.block_storage.get_volume(target.id).metadata == {"a": "b"}
    assert harness.state.volumes.get(target.id).content == b"content"
    demo.block_storage.delete_backup(backup.id)
    harness.work()
    assert list(demo.block_storage.backups()) == []


def test_image_is_created_from_a_volume(harness: CloudHarness, demo: Any) -> None:
    volume = _volume(harness, demo)
    uploaded = demo.block_storage.upload_volume_to_image(volume, "i", force=True)
    assert demo.image.get_image(uploaded["image_id"]).status == "queued"
    harness.work()
    image = demo.image.get_image(uploaded["image_id"])
    assert (image.name, image.status, image.size) == ("i", "active", 2**30)


def test_image_data_can_be_downloaded(demo: Any) -> None:
    created = demo.image.create_image(
        name="i", disk_format="raw", container_format="bare", data=b"data\0\0"
    )
    image = demo.image.get_image(created.id)
    assert (image.status, image.size) == ("active", 6)
    assert demo.image.download_image(image).content == b"data\0\0"
    demo.image.update_image(created.id, name="other")
    assert [i.id for i in demo.image.images(name="other")] == [created.id]
    demo.image.delete_image(created.id)
    assert demo.image.find_image("other") is None
