"""Servers come back as they were, or the rebuild says why not."""

from typing import Any

import pytest

from karbor_backup_core import ProgressState, Resource, Result
from karbor_backup_openstack.server_spec import Attachment, ServerSpec
from tests.backends.freezer.restore.harness import (
    SERVER,
    VOLUME,
    FakeContents,
    RestoreHarness,
    restore_operation,
    server_item,
    server_spec,
    stored_items,
    volume_item,
    with_failed_outcome,
)


def interface(
    cloud: RestoreHarness, *addresses: str, groups: tuple[str, ...] = ()
) -> dict[str, Any]:
    return {
        "network": cloud.network.id,
        "network_name": "netA",
        "fixed_ips": [{"ip_address": address} for address in addresses],
        "security_groups": list(groups),
    }


def server_from_volumes(
    cloud: RestoreHarness, **details: Any
) -> tuple[ServerSpec, FakeContents, Any]:
    """Return a server that boots from a volume and has another one, and what is stored of it."""
    root, data = volume_item("root", bootable=True), volume_item("data")
    notes = server_spec(
        cloud,
        None,
        Attachment(
            volume=root.id,
            device="/dev/vda",
            boot_index=0,
            delete_on_termination=True,
            included=True,
        ),
        Attachment(volume=data.id, device="/dev/vdb", included=True),
        **details,
    )
    return notes, FakeContents(stored_items(root, data), (notes,)), (root, data)


def source_resource(notes: ServerSpec) -> Resource:
    return Resource(SERVER, notes.id, notes.name)


def test_server_of_an_image_has_the_properties_of_its_source(cloud: RestoreHarness) -> None:
    item = server_item()
    group = cloud.state.groups.add("", {"name": "web"})
    cloud.state.keypairs.add("", {"name": "me"}, identifier="me")
    notes = server_spec(
        cloud,
        item,
        networks=[interface(cloud, "10.9.0.77", groups=(group.id,))],
        metadata={"a": "b"},
        tags=["t"],
        description="front",
        key_name="me",
    )
    operation, contents = (
        restore_operation(item.resource),
        FakeContents(stored_items(item), (notes,)),
    )
    agents = cloud.agent_server(operation, 0, "web")
    progress, _ = cloud.finish(operation, contents)
    assert progress.state is ProgressState.SUCCEEDED
    (server,) = cloud.state.servers
    assert agents.id != server.id
    assert progress.resources == (Resource(SERVER, server.id, "new"),)
    assert (progress.checks, progress.leftovers) == ((), ())
    assert server.content == b"data"
    shown = server.shown
    assert (shown["name"], shown["key_name"], shown["tags"]) == ("new", "me", ["t"])
    assert (shown["description"], shown["metadata"]["a"]) == ("front", "b")
    (port,) = cloud.state.ports
    assert [ip["ip_address"] for ip in port.shown["fixed_ips"]] == ["10.9.0.77"]
    assert port.shown["security_groups"] == [group.id]
    assert cloud.list_resources() == {f"server/{server.id}"}


def test_server_of_volumes_has_its_volumes_in_order(cloud: RestoreHarness) -> None:
    notes, contents, items = server_from_volumes(cloud)
    operation = restore_operation(source_resource(notes))
    volumes = [cloud.agent_volume(operation, i, item) for i, item in enumerate(items)]
    progress, _ = cloud.finish(operation, contents)
    (server,) = cloud.state.servers
    assert progress.resources == (
        Resource(SERVER, server.id, "new"),
        Resource(VOLUME, volumes[0].id, "new-vda"),
        Resource(VOLUME, volumes[1].id, "new-vdb"),
    )
    assert [(p.resource.id, p.result) for p in progress.parts] == [
        (x, Result.SUCCEEDED) for x in (notes.id, items[0].id, items[1].id)
    ]
    assert [part.restored for part in progress.parts] == list(progress.resources)
    assert server.shown["os-extended-volumes:volumes_attached"] == [
        {"id": volumes[0].id, "delete_on_termination": True},
        {"id": volumes[1].id, "delete_on_termination": False},
    ]
    assert [v.shown["attachments"][0]["device"] for v in volumes] == ["/dev/vda", "/dev/vdb"]


def test_server_of_an_image_has_its_data_volumes(cloud: RestoreHarness) -> None:
    item, data = server_item(), volume_item("data")
    notes = server_spec(cloud, item, Attachment(volume=data.id, device="/dev/vdb", included=True))
    operation = restore_operation(item.resource)
    cloud.agent_server(operation, 0, "web")
    volume = cloud.agent_volume(operation, 1, data)
    progress, _ = cloud.finish(operation, FakeContents(stored_items(item, data), (notes,)))
    assert progress.state is ProgressState.SUCCEEDED
    (server,) = cloud.state.servers
    assert volume.shown["attachments"][0]["server_id"] == server.id
    assert volume.shown["attachments"][0]["device"] == "/dev/vdb"


def test_volume_missing_from_the_backup_is_reported(cloud: RestoreHarness) -> None:
    item = server_item()
    notes = server_spec(cloud, item, Attachment(volume="elsewhere", included=False))
    operation = restore_operation(item.resource)
    cloud.agent_server(operation, 0, "web")
    progress, _ = cloud.finish(operation, FakeContents(stored_items(item), (notes,)))
    (check,) = progress.checks
    assert "elsewhere" in check.reason
    assert not check.verified


def test_address_in_use_is_reported_and_replaced(cloud: RestoreHarness) -> None:
    cloud.sdk.network.create_port(
        network_id=cloud.network.id, fixed_ips=[{"ip_address": "10.9.0.77"}]
    )
    item = server_item()
    notes = server_spec(cloud, item, networks=[interface(cloud, "10.9.0.77")])
    operation = restore_operation(item.resource)
    cloud.agent_server(operation, 0, "web")
    progress, _ = cloud.finish(operation, FakeContents(stored_items(item), (notes,)))
    (check,) = progress.checks
    assert check.name.endswith("on netA")
    assert check.reason.startswith("10.9.0.77 is taken; it has 10.9.0.")


def test_further_addresses_of_an_interface_are_restored(cloud: RestoreHarness) -> None:
    item = server_item()
    notes = server_spec(cloud, item, networks=[interface(cloud, "10.9.0.77", "10.9.0.78")])
    operation = restore_operation(item.resource)
    cloud.agent_server(operation, 0, "web")
    cloud.finish(operation, FakeContents(stored_items(item), (notes,)))
    (port,) = cloud.state.ports
    assert {ip["ip_address"] for ip in port.shown["fixed_ips"]} == {"10.9.0.77", "10.9.0.78"}


def test_server_that_fails_for_its_address_is_recreated_without_it(cloud: RestoreHarness) -> None:
    notes, contents, items = server_from_volumes(cloud, networks=[interface(cloud, "10.9.0.77")])
    operation = restore_operation(source_resource(notes))
    for i, item in enumerate(items):
        cloud.agent_volume(operation, i, item)
    step = cloud.rebuild.advance(operation, contents, {})
    (first,) = cloud.state.servers
    cloud.pass_time()
    fault = {"code": 500, "message": "Fixed IP address 10.9.0.77 is already in use."}
    first.shown.update({"status": "ERROR", "fault": fault})
    progress, _ = cloud.finish(operation, contents, step.restore_state)
    assert progress.state is ProgressState.SUCCEEDED
    (server,) = cloud.state.servers
    assert (first.id, progress.resources[0].id) != (server.id, first.id)
    assert [c.name for c in progress.checks if f"server {server.id} on netA" in c.name]


def test_each_of_two_ports_on_one_network_is_reported(cloud: RestoreHarness) -> None:
    taken = ("10.9.0.77", "10.9.0.78")
    for address in taken:
        cloud.sdk.network.create_port(
            network_id=cloud.network.id, fixed_ips=[{"ip_address": address}]
        )
    notes, contents, items = server_from_volumes(
        cloud, networks=[interface(cloud, a) for a in taken]
    )
    operation = restore_operation(source_resource(notes))
    for i, item in enumerate(items):
        cloud.agent_volume(operation, i, item)
    progress, _ = cloud.finish(operation, contents)
    addresses = [c.reason.partition(" ")[0] for c in progress.checks if c.name.endswith("on netA")]
    assert sorted(addresses) == sorted(taken)


def test_allowed_address_pairs_are_restored_with_the_ports_own_mac(cloud: RestoreHarness) -> None:
    pairs = [
        {"ip_address": "10.9.0.100", "mac_address": "old"},
        {"ip_address": "10.9.0.101", "mac_address": "other"},
    ]
    written = {**interface(cloud, "10.9.0.77"), "mac": "old", "allowed_address_pairs": pairs}
    item = server_item()
    notes = server_spec(cloud, item, networks=[written])
    operation = restore_operation(item.resource)
    cloud.agent_server(operation, 0, "web")
    progress, _ = cloud.finish(operation, FakeContents(stored_items(item), (notes,)))
    assert progress.checks == ()
    (port,) = cloud.state.ports
    assert port.shown["allowed_address_pairs"] == [
        {"ip_address": "10.9.0.100"},
        {"ip_address": "10.9.0.101", "mac_address": "other"},
    ]


def test_a_server_that_fails_twice_is_a_failure(cloud: RestoreHarness) -> None:
    notes, contents, items = server_from_volumes(cloud, networks=[interface(cloud, "10.9.0.77")])
    operation = restore_operation(source_resource(notes))
    for i, item in enumerate(items):
        cloud.agent_volume(operation, i, item)
    step = cloud.rebuild.advance(operation, contents, {})
    for _ in range(3):
        cloud.pass_time()
        for server in cloud.state.servers:
            server.shown.update({"status": "ERROR", "fault": {"message": "no host"}})
        step = cloud.rebuild.advance(operation, contents, step.restore_state)
    assert step.progress.state is ProgressState.FAILED
    assert "no host" in step.progress.reason
    cloud.roll_back(with_failed_outcome(operation, step.progress), contents, step.restore_state)
    assert cloud.list_resources() == set()


def test_missing_keys_and_groups_are_reported(cloud: RestoreHarness) -> None:
    item = server_item()
    notes = server_spec(
        cloud, item, key_name="lost", networks=[interface(cloud, "10.9.0.7", groups=("g",))]
    )
    operation = restore_operation(item.resource)
    cloud.agent_server(operation, 0, "web")
    progress, _ = cloud.finish(operation, FakeContents(stored_items(item), (notes,)))
    assert progress.state is ProgressState.SUCCEEDED
    assert sorted(check.name for check in progress.checks) == [
        f"key pair of server {notes.id}",
        "security group g",
    ]


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        ({"flavor": {"id": "f", "name": "huge"}}, "its flavor 'huge' does not exist"),
        ({"networks": [{"network": "n", "network_name": "lan"}]}, "its network lan does not exist"),
    ],
)
def test_missing_flavor_or_network_fails_the_server(
    cloud: RestoreHarness, missing: dict[str, Any], reason: str
) -> None:
    notes, contents, items = server_from_volumes(cloud, **missing)
    operation = restore_operation(source_resource(notes))
    for i, item in enumerate(items):
        cloud.agent_volume(operation, i, item)
    progress, kept = cloud.finish(operation, contents)
    assert progress.state is ProgressState.FAILED
    assert reason in progress.reason
    cloud.roll_back(with_failed_outcome(operation, progress), contents, kept)
    assert cloud.list_resources() == set()


@pytest.mark.parametrize("length", [0, 8])
def test_image_smaller_than_its_data_is_a_failure(cloud: RestoreHarness, length: int) -> None:
    item = server_item()
    operation = restore_operation(item.resource)
    contents = FakeContents(stored_items(item, length=9), (server_spec(cloud, item),))
    cloud.agent_server(operation, 0, "web", length)
    progress, notes = cloud.finish(operation, contents)
    assert f"Freezer brought back {length} of 9 bytes of its image" in progress.reason
    cloud.roll_back(with_failed_outcome(operation, progress), contents, notes)
    assert cloud.list_resources() == set()


def test_server_in_error_is_removed_and_quotes_nova(
    cloud: RestoreHarness,
) -> None:
    notes, contents, items = server_from_volumes(cloud)
    operation = restore_operation(source_resource(notes))
    for i, item in enumerate(items):
        cloud.agent_volume(operation, i, item)
    step = cloud.rebuild.advance(operation, contents, {})
    cloud.pass_time()
    (server,) = cloud.state.servers
    server.shown.update({"status": "ERROR", "fault": {"message": "No valid host was found."}})
    progress, kept = cloud.finish(operation, contents, step.restore_state)
    assert progress.reason == (
        f"{SERVER} {notes.id}: Nova put the new server {server.id} in ERROR: "
        "No valid host was found."
    )
    undone, _ = cloud.roll_back(with_failed_outcome(operation, progress), contents, kept)
    assert undone.leftovers == ()
    assert cloud.list_resources() == set()


def test_a_server_without_one_of_its_volumes_is_a_failure(cloud: RestoreHarness) -> None:
    notes, contents, items = server_from_volumes(cloud)
    operation = restore_operation(source_resource(notes))
    cloud.agent_volume(operation, 0, items[0])
    progress, kept = cloud.finish(operation, contents)
    assert progress.state is ProgressState.FAILED
    assert f"its volume {items[1].id} was not restored" in progress.reason
    assert not list(cloud.state.servers)
    cloud.roll_back(with_failed_outcome(operation, progress), contents, kept)
    assert cloud.list_resources() == set()


def test_concurrent_restores_create_their_own_servers(cloud: RestoreHarness) -> None:
    item = server_item()
    contents = FakeContents(stored_items(item), (server_spec(cloud, item),))
    operations = [restore_operation(item.resource), restore_operation(item.resource)]
    for operation in operations:
        cloud.agent_server(operation, 0, "web")
    servers = {cloud.finish(operation, contents)[0].resources[0].id for operation in operations}
    assert servers == {server.id for server in cloud.state.servers}
    assert len(servers) == 2


def count_changes() -> int:
    cloud = RestoreHarness()
    try:
        notes, contents, items = server_from_volumes(cloud)
        operation = restore_operation(source_resource(notes))
        for i, item in enumerate(items):
            cloud.agent_volume(operation, i, item)
        before = cloud.changes
        cloud.finish(operation, contents)
        return cloud.changes - before
    finally:
        cloud.close()


def test_lost_reply_creates_nothing_twice(cloud: RestoreHarness) -> None:
    for lost in range(1, count_changes() + 1):
        notes, contents, items = server_from_volumes(cloud)
        operation = restore_operation(source_resource(notes))
        for i, item in enumerate(items):
            cloud.agent_volume(operation, i, item)
        cloud.lost = cloud.changes + lost
        progress, kept = cloud.finish_despite_faults(operation, contents)
        assert cloud.changes >= cloud.lost
        assert progress.state is ProgressState.SUCCEEDED
        assert len(cloud.list_resources()) == 3
        for server in cloud.state.servers:
            assert server.id == progress.resources[0].id
        cloud.roll_back(operation, contents, kept)
        assert cloud.list_resources() == set()


def test_restored_image_has_the_properties_of_its_source(cloud: RestoreHarness) -> None:
    item = server_item()
    wanted = {"hw_disk_bus": "scsi", "os_type": "linux"}
    notes = server_spec(cloud, item, image_properties=wanted)
    operation = restore_operation(item.resource)
    cloud.agent_server(operation, 0, "web")
    (image,) = (i for i in cloud.state.images if i.name.endswith("restore_web"))
    progress, _ = cloud.finish(operation, FakeContents(stored_items(item), (notes,)))
    assert (progress.state, progress.checks) == (ProgressState.SUCCEEDED, ())
    assert {key: image.shown[key] for key in wanted} == wanted
