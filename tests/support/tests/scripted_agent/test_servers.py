"""The scripted agent's servers, one by one and all of a project, and its images."""

import json
from typing import Any

import pytest

from tests.support.scripted_agent import AgentError
from tests.support.scripted_cloud import images
from tests.support.tests.scripted_agent.conftest import AgentHarness


def _action_fields(server: Any) -> dict[str, str]:
    return {"engine_name": "nova", "nova_inst_id": server.id}


def test_a_server_is_stored_as_a_real_agent_stores_it(cloud: AgentHarness) -> None:
    server = cloud.server()
    cloud.agent.back_up(cloud.action("backup", **_action_fields(server)))
    (data,) = cloud.folder.glob(f"data/nova/host_n/{server.id}/*/0_*/data")
    assert data.read_bytes() == b"content"
    notes = json.loads((data.parent / "engine_metadata").read_text())
    assert notes["length"] == str(len(b"content"))
    assert list(cloud.folder.glob(f"metadata/nova/host_n/{server.id}/*/0_*/metadata"))


def test_a_restored_server_is_a_new_one_and_its_image_stays(cloud: AgentHarness) -> None:
    server = cloud.server()
    cloud.agent.back_up(cloud.action("backup", **_action_fields(server)))
    cloud.agent.restore(cloud.action("restore", **_action_fields(server)))
    (restored,) = (s for s in cloud.state.servers if s.name.startswith("s~"))
    assert restored.content == b"content"
    image = cloud.state.images.get(restored.shown["image"]["id"])
    assert image.name.endswith("-0_restore_s")


def test_server_that_boots_from_a_volume_has_no_data(cloud: AgentHarness) -> None:
    volume = cloud.volume()
    mapping = {"source_type": "volume", "uuid": volume.id, "boot_index": 0}
    server = cloud.server(imageRef=None, block_device_mapping_v2=[mapping])
    cloud.agent.back_up(cloud.action("backup", **_action_fields(server)))
    (data,) = cloud.folder.glob(f"data/nova/host_n/{server.id}/*/0_*/data")
    assert data.read_bytes() == b""
    assert [s.shown["volume_id"] for s in cloud.state.snapshots] == [volume.id]


def test_removal_leaves_incomplete_backups(cloud: AgentHarness) -> None:
    server = cloud.server()
    cloud.agent.back_up(cloud.action("backup", **_action_fields(server)))
    cloud.agent.back_up(cloud.action("backup", **_action_fields(server)), whole=False)
    cloud.agent.remove(cloud.action("admin", **_action_fields(server)))
    assert len(list(cloud.folder.glob("data/nova/host_n/*/*/0_*/data"))) == 1
    with pytest.raises(AgentError, match="No matching backup name"):
        cloud.agent.restore(cloud.action("restore", **_action_fields(server)))


def test_project_backup_contains_all_servers(cloud: AgentHarness) -> None:
    servers = [cloud.server(), cloud.server()]
    fields = {"engine_name": "nova", "project_id": "p1"}
    cloud.agent.back_up(cloud.action("backup", **fields))
    assert len(list(cloud.folder.glob("data/nova/host_n/*/*/0_*/data"))) == 2
    cloud.agent.restore(cloud.action("restore", **fields))
    assert len(list(cloud.state.servers)) == 2 * len(servers)
    cloud.agent.remove(cloud.action("admin", **fields))
    assert [path.name for path in cloud.folder.rglob("*") if path.is_file()] == ["project_p1"]


def test_a_project_without_servers_is_an_error(cloud: AgentHarness) -> None:
    with pytest.raises(AgentError, match="max_workers must be greater than 0"):
        cloud.agent.back_up(cloud.action("backup", engine_name="nova", project_id="p1"))


def test_image_is_restored_without_its_properties(cloud: AgentHarness) -> None:
    asked = {"name": "i", "container_format": "bare", "disk_format": "raw", "os": "x"}
    image = images.new_image(cloud.state, "p1", asked, b"data")
    fields = {"engine_name": "glance", "glance_image_id": image.id}
    cloud.agent.back_up(cloud.action("backup", **fields))
    cloud.agent.restore(cloud.action("restore", **fields))
    (restored,) = (i for i in cloud.state.images if i.name.startswith("i~"))
    assert restored.content == b"data"
    assert "os" not in restored.shown


def test_removal_of_an_image_needs_its_id_in_the_backup_name(cloud: AgentHarness) -> None:
    image = images.new_image(cloud.state, "p1", {"name": "i"}, b"data")
    fields = {"engine_name": "glance", "glance_image_id": image.id}
    cloud.agent.back_up(cloud.action("backup", **fields))
    with pytest.raises(AgentError, match="invalid literal for int"):
        cloud.agent.remove(cloud.action("admin", **fields))
    cloud.agent.remove(cloud.action("admin", **{**fields, "backup_name": f"n/{image.id}"}))
    assert not [path for path in cloud.folder.rglob("*") if path.is_file()]
