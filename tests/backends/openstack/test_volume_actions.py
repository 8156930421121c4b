"""What Cinder is asked to do with a volume, whichever openstacksdk is installed."""

from collections.abc import Iterator
from typing import Any

import pytest

from karbor_backup_core import BackendError
from karbor_backup_openstack.errors import NotFound
from karbor_backup_openstack.volume_actions import VolumeActions
from tests.backends.freezer.restore.harness import RestoreHarness
from tests.backends.openstack.stub_cloud import StubCloud


@pytest.fixture
def cloud() -> Iterator[RestoreHarness]:
    cloud = RestoreHarness()
    yield cloud
    cloud.close()


def _create_volume(cloud: RestoreHarness) -> Any:
    volume = cloud.sdk.block_storage.create_volume(size=1)
    cloud.time += 60
    return volume


def _volume_document(cloud: RestoreHarness, volume: Any) -> Any:
    return cloud.sdk.block_storage.get_volume(volume.id)


def test_image_metadata_are_set_and_removed_one_by_one(cloud: RestoreHarness) -> None:
    volume = _create_volume(cloud)
    actions = VolumeActions(cloud.services, volume.id)
    actions.set_image_metadata({"os_type": "linux", "hw_disk_bus": "scsi"})
    assert _volume_document(cloud, volume).volume_image_metadata == {
        "os_type": "linux",
        "hw_disk_bus": "scsi",
    }
    actions.unset_image_metadata("os_type")
    assert _volume_document(cloud, volume).volume_image_metadata == {"hw_disk_bus": "scsi"}


def test_bootable_is_set_and_unset(cloud: RestoreHarness) -> None:
    volume = _create_volume(cloud)
    for bootable in (True, False):
        VolumeActions(cloud.services, volume.id).set_bootable(bootable=bootable)
        assert _volume_document(cloud, volume).is_bootable is bootable


def test_retype_changes_the_type(cloud: RestoreHarness) -> None:
    volume = _create_volume(cloud)
    VolumeActions(cloud.services, volume.id).retype("fast")
    assert _volume_document(cloud, volume).status == "retyping"
    cloud.time += 60
    assert _volume_document(cloud, volume).volume_type == "fast"


def test_action_on_a_missing_volume_names_it(cloud: RestoreHarness) -> None:
    with pytest.raises(NotFound, match="to set bootable of volume gone to True: status 404"):
        VolumeActions(cloud.services, "gone").set_bootable(bootable=True)


def test_missing_volume_type_is_named(cloud: RestoreHarness) -> None:
    volume = _create_volume(cloud)
    with pytest.raises((BackendError, NotFound), match="the type 'nowhere'"):
        VolumeActions(cloud.services, volume.id).retype("nowhere")


def test_contents_go_through_images(stub_cloud: StubCloud) -> None:
    stub_cloud.add_response(
        "/volumes/v1/action$", {"os-volume_upload_image": {"image_id": "i1"}}, status=202
    )
    actions = VolumeActions(stub_cloud.services, "v1")
    actions.reimage("i0")
    assert actions.upload_to_image("copy") == "i1"


def test_cinder_that_cannot_write_an_image_says_so(stub_cloud: StubCloud) -> None:
    stub_cloud.add_response("/volumes/v1/action$", {"badRequest": {"message": "no"}}, status=400)
    with pytest.raises(BackendError, match="to write image i0 to volume v1: status 400: no"):
        VolumeActions(stub_cloud.services, "v1").reimage("i0")
