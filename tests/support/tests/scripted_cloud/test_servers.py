"""Servers, their volumes and their ports, as openstacksdk sees them."""

from typing import Any

import pytest
from openstack.exceptions import BadRequestException, ConflictException, NotFoundException

from tests.support.tests.scripted_cloud.conftest import CloudHarness


def _server(demo: Any, **asked: Any) -> Any:
    flavor, network = demo.compute.find_flavor("tiny"), demo.network.find_network("netA")
    given = {"networks": [{"uuid": network.id}], **asked}
    return demo.compute.create_server(name="s", flavor_id=flavor.id, **given)


def _boot_options(volume: Any) -> dict[str, Any]:
    mapping = {"uuid": volume.id, "source_type": "volume", "destination_type": "volume"}
    return {"block_device_mapping": [{**mapping, "boot_index": 0}]}


def test_a_server_boots_from_an_image(harness: CloudHarness, demo: Any) -> None:
    (image,) = demo.image.images()
    server = demo.compute.get_server(_server(demo, image_id=image.id, metadata={"m": "1"}).id)
    assert (server.status, server.task_state) == ("BUILD", "spawning")
    harness.work()
    server = demo.compute.get_server(server.id)
    assert (server.status, server.task_state) == ("ACTIVE", None)
    assert (server.image.id, server.flavor.name) == (image.id, "tiny")
    assert server.metadata == {"m": "1"}
    (port,) = demo.network.ports(device_id=server.id)
    (address,) = server.addresses["netA"]
    assert port.fixed_ips[0]["ip_address"] == address["addr"]
    assert port.mac_address == address["OS-EXT-IPS-MAC:mac_addr"]


def test_server_boots_from_a_volume_and_attaches_another(harness: CloudHarness, demo: Any) -> None:
    boot, data = (demo.block_storage.create_volume(size=1) for _ in range(2))
    harness.work()
    server = _server(demo, **_boot_options(boot))
    harness.work()
    demo.compute.create_volume_attachment(server, volume_id=data.id)
    harness.work()
    shown = demo.compute.get_server(server.id)
    assert not shown.image
    attached = {a.volume_id: a.device for a in demo.compute.volume_attachments(shown)}
    assert attached == {boot.id: "/dev/vda", data.id: "/dev/vdb"}
    assert demo.block_storage.get_volume(boot.id).status == "in-use"
    with pytest.raises(BadRequestException, match="must not be migrating, attached"):
        demo.block_storage.delete_volume(boot.id)


def test_deleted_server_detaches_its_volumes_and_deletes_its_port(
    harness: CloudHarness, demo: Any
) -> None:
    boot = demo.block_storage.create_volume(size=1)
    harness.work()
    server = _server(demo, **_boot_options(boot))
    harness.work()
    demo.compute.delete_server(server)
    harness.work()
    with pytest.raises(NotFoundException):
        demo.compute.get_server(server.id)
    assert demo.block_storage.get_volume(boot.id).status == "available"
    assert list(demo.network.ports()) == []


def test_volume_can_be_deleted_with_its_server(harness: CloudHarness, demo: Any) -> None:
    boot = demo.block_storage.create_volume(size=1)
    harness.work()
    server = _server(demo, **_boot_options(boot))
    harness.work()
    compute = harness.connect().compute
    compute.default_microversion = "2.85"
    compute.update_volume_attachment(server, boot.id, volume_id=boot.id, delete_on_termination=True)
    demo.compute.delete_server(server)
    harness.work()
    assert [server.id for server in demo.compute.servers()] == []
    harness.work()
    assert list(demo.block_storage.volumes()) == []


def test_existing_port_is_kept_when_its_server_is_deleted(harness: CloudHarness, demo: Any) -> None:
    (image,) = demo.image.images()
    port = demo.network.create_port(network_id=demo.network.find_network("netA").id)
    server = _server(demo, image_id=image.id, networks=[{"port": port.id}])
    harness.work()
    demo.compute.delete_server(server)
    harness.work()
    assert demo.network.get_port(port.id).device_id == ""


def test_address_is_assigned_once(demo: Any) -> None:
    asked = {
        "network_id": demo.network.find_network("netA").id,
        "fixed_ips": [{"ip_address": "10.9.0.77"}],
    }
    demo.network.create_port(**asked)
    with pytest.raises(ConflictException, match=r"10\.9\.0\.77 already allocated"):
        demo.network.create_port(**asked)


def test_server_with_a_missing_resource_is_refused(demo: Any) -> None:
    with pytest.raises(BadRequestException, match="Image nope could not be found"):
        _server(demo, image_id="nope")
    with pytest.raises(BadRequestException, match="no boot device"):
        _server(demo)


def test_names_groups_and_metadata_of_a_server_are_changed(
    harness: CloudHarness, demo: Any
) -> None:
    (image,) = demo.image.images()
    server = _server(demo, image_id=image.id)
    harness.work()
    demo.compute.update_server(server, name="new")
    demo.compute.set_server_metadata(server, a="b")
    demo.compute.remove_security_group_from_server(server, "default")
    changed = demo.compute.get_server(server.id)
    assert (changed.name, changed.metadata) == ("new", {"a": "b"})
    assert changed.security_groups == []


def test_image_of_a_server_is_made_while_a_task_goes_on(harness: CloudHarness, demo: Any) -> None:
    (source,) = demo.image.images()
    server = _server(demo, image_id=source.id)
    harness.work()
    demo.compute.create_server_image(server.id, "copy", metadata={"made": "by hand"})
    (image,) = demo.image.images(name="copy")
    assert (image.status, image.properties["made"]) == ("queued", "by hand")
    assert demo.compute.get_server(server.id).task_state == "image_snapshot"
    with pytest.raises(ConflictException):
        demo.compute.create_server_image(server.id, "another")
    harness.work()
    assert demo.image.get_image(image.id).status == "active"
    assert demo.compute.get_server(server.id).task_state is None
