"""The scripted agent's volumes: modes ``cinder`` and ``cindernative``."""

import json

import pytest

from tests.support.scripted_agent import AgentError
from tests.support.tests.scripted_agent.conftest import AgentHarness

GIB = 2**30


def test_a_volume_is_stored_as_a_real_agent_stores_it(cloud: AgentHarness) -> None:
    volume = cloud.volume()
    printed = cloud.agent.back_up(cloud.action("backup", cinder_vol_id=volume.id))
    assert printed["cinder_vol_id"] == volume.id
    (folder,) = (cloud.folder / volume.id).iterdir()
    assert (folder / volume.id).stat().st_size == GIB
    notes = json.loads((folder / "metadata").read_text())
    assert notes["x-object-meta-length"] == str(GIB)
    assert notes["volume_name"] == "v"


def test_restored_volume_is_new_and_names_its_image(cloud: AgentHarness) -> None:
    volume = cloud.volume(metadata={"a": "b"})
    cloud.agent.back_up(cloud.action("backup", cinder_vol_id=volume.id))
    volume.content = b"other"
    cloud.agent.restore(cloud.action("restore", cinder_vol_id=volume.id))
    (restored,) = (v for v in cloud.state.volumes if v.name.startswith("v~"))
    assert restored.content == b"content"
    assert restored.shown["metadata"] == {}
    image = restored.shown["volume_image_metadata"]["image_name"]
    assert image.endswith(f"-0_restore_{volume.id}")
    assert not cloud.state.images.find_by_name(image)


def test_failed_restore_leaves_a_volume_in_error_and_its_image(cloud: AgentHarness) -> None:
    volume = cloud.volume()
    cloud.agent.back_up(cloud.action("backup", cinder_vol_id=volume.id))
    cloud.agent.restore(cloud.action("restore", cinder_vol_id=volume.id), whole=False)
    (broken,) = (v for v in cloud.state.volumes if v.name.startswith("v~"))
    assert broken.shown["status"] == "error"
    assert cloud.state.images.find_by_name(broken.shown["volume_image_metadata"]["image_name"])


def test_interrupted_backup_leaves_temporary_resources(cloud: AgentHarness) -> None:
    volume = cloud.volume()
    before = set(cloud.state.inventory)
    cloud.agent.back_up(cloud.action("backup", cinder_vol_id=volume.id), whole=False)
    left = sorted(each.partition("/")[0] for each in set(cloud.state.inventory) - before)
    assert left == ["image", "snapshot", "volume"]


def test_removal_includes_incomplete_backups(cloud: AgentHarness) -> None:
    volume = cloud.volume()
    action = cloud.action("backup", cinder_vol_id=volume.id)
    cloud.agent.back_up(action)
    cloud.agent.back_up(action, whole=False)
    assert len(list((cloud.folder / volume.id).iterdir())) == 2
    cloud.agent.remove(cloud.action("admin", cinder_vol_id=volume.id))
    assert list((cloud.folder / volume.id).iterdir()) == []
    with pytest.raises(AgentError, match="Cannot find backups"):
        cloud.agent.restore(cloud.action("restore", cinder_vol_id=volume.id))


def test_missing_volume_cannot_be_backed_up(cloud: AgentHarness) -> None:
    with pytest.raises(AgentError, match="Volume gone could not be found"):
        cloud.agent.back_up(cloud.action("backup", cinder_vol_id="gone"))


def test_native_backup_is_requested_only(cloud: AgentHarness) -> None:
    volume = cloud.volume()
    fields = {"cindernative_vol_id": volume.id, "cindernative_backup_container": "c"}
    printed = cloud.agent.back_up(cloud.action("backup", **fields))
    backup = cloud.state.backups.get(printed["cinder_backup_id"])
    assert (printed["status"], backup.shown["status"]) == ("available", "creating")
    assert (backup.name, backup.shown["container"]) == ("n", "c")


def test_native_backup_is_restored_over_the_named_volume(cloud: AgentHarness) -> None:
    volume, target = cloud.volume(), cloud.volume()
    with cloud.state.without_delay():
        printed = cloud.agent.back_up(cloud.action("backup", cindernative_vol_id=volume.id))
    target.content = b"other"
    fields = {
        "cindernative_vol_id": target.id,
        "cindernative_backup_id": printed["cinder_backup_id"],
    }
    with cloud.state.without_delay():
        cloud.agent.restore(cloud.action("restore", **fields))
    assert target.content == b"content"
