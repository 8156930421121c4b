"""Servers come back as they were, or the rebuild says why not."""

from typing import Any

import pytest

from karbor_backup_core import ProgressState, Resource, Result
from karbor_backup_freezer.pieces import Attachment, ServerNotes
from tests.backends.freezer.rebuild.scene import (
    SERVER,
    VOLUME,
    Cloud,
    Contents,
    ended,
    notes_of,
    restore_of,
    server_piece,
    stored,
    volume_piece,
)


def interface(cloud: Cloud, *addresses: str, groups: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "network": cloud.network.id,
        "network_name": "netA",
        "fixed_ips": [{"ip_address": address} for address in addresses],
        "security_groups": list(groups),
    }


def from_volumes(cloud: Cloud, **details: Any) -> tuple[ServerNotes, Contents, Any]:
    """A server that boots from a volume and has another one, and what is stored of it."""
    root, data = volume_piece("root", bootable=True), volume_piece("data")
    notes = notes_of(
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
    return notes, Contents(stored(root, data), (notes,)), (root, data)


def source(notes: ServerNotes) -> Resource:
    return Resource(SERVER, notes.id, notes.name)


def test_a_server_of_an_image_gets_back_what_its_source_had(cloud: Cloud) -> None:
    piece = server_piece()
    group = cloud.world.groups.add("", {"name": "web"})
    cloud.world.keypairs.add("", {"name": "me"}, identifier="me")
    notes = notes_of(
        cloud,
        piece,
        networks=[interface(cloud, "10.9.0.77", groups=(group.id,))],
        metadata={"a": "b"},
        tags=["t"],
        description="front",
        key_name="me",
    )
    operation, contents = restore_of(piece.resource), Contents(stored(piece), (notes,))
    agents = cloud.agent_server(operation, 0, "web")
    progress, _ = cloud.finish(operation, contents)
    assert progress.state is ProgressState.SUCCEEDED
    (made,) = cloud.world.servers
    assert agents.id != made.id
    assert progress.resources == (Resource(SERVER, made.id, "new"),)
    assert (progress.checks, progress.leftovers) == ((), ())
    assert made.content == b"data"
    shown = made.shown
    assert (shown["name"], shown["key_name"], shown["tags"]) == ("new", "me", ["t"])
    assert (shown["description"], shown["metadata"]["a"]) == ("front", "b")
    (port,) = cloud.world.ports
    assert [ip["ip_address"] for ip in port.shown["fixed_ips"]] == ["10.9.0.77"]
    assert port.shown["security_groups"] == [group.id]
    assert cloud.made() == {f"server/{made.id}"}


def test_a_server_of_volumes_gets_them_back_in_order(cloud: Cloud) -> None:
    notes, contents, pieces = from_volumes(cloud)
    operation = restore_of(source(notes))
    volumes = [cloud.agent_volume(operation, i, piece) for i, piece in enumerate(pieces)]
    progress, _ = cloud.finish(operation, contents)
    (server,) = cloud.world.servers
    assert progress.resources == (
        Resource(SERVER, server.id, "new"),
        Resource(VOLUME, volumes[0].id, "new-vda"),
        Resource(VOLUME, volumes[1].id, "new-vdb"),
    )
    assert [(p.resource.id, p.result) for p in progress.parts] == [
        (x, Result.SUCCEEDED) for x in (notes.id, pieces[0].id, pieces[1].id)
    ]
    assert [part.restored for part in progress.parts] == list(progress.resources)
    assert server.shown["os-extended-volumes:volumes_attached"] == [
        {"id": volumes[0].id, "delete_on_termination": True},
        {"id": volumes[1].id, "delete_on_termination": False},
    ]
    assert [v.shown["attachments"][0]["device"] for v in volumes] == ["/dev/vda", "/dev/vdb"]


def test_a_server_of_an_image_gets_its_data_volumes_back(cloud: Cloud) -> None:
    piece, data = server_piece(), volume_piece("data")
    notes = notes_of(cloud, piece, Attachment(volume=data.id, device="/dev/vdb", included=True))
    operation = restore_of(piece.resource)
    cloud.agent_server(operation, 0, "web")
    volume = cloud.agent_volume(operation, 1, data)
    progress, _ = cloud.finish(operation, Contents(stored(piece, data), (notes,)))
    assert progress.state is ProgressState.SUCCEEDED
    (server,) = cloud.world.servers
    assert volume.shown["attachments"][0]["server_id"] == server.id
    assert volume.shown["attachments"][0]["device"] == "/dev/vdb"


def test_a_volume_that_the_backup_does_not_hold_is_told(cloud: Cloud) -> None:
    piece = server_piece()
    notes = notes_of(cloud, piece, Attachment(volume="elsewhere", included=False))
    operation = restore_of(piece.resource)
    cloud.agent_server(operation, 0, "web")
    progress, _ = cloud.finish(operation, Contents(stored(piece), (notes,)))
    (check,) = progress.checks
    assert "elsewhere" in check.reason
    assert not check.verified


def test_an_address_that_is_taken_is_told_and_another_one_given(cloud: Cloud) -> None:
    cloud.sdk.network.create_port(
        network_id=cloud.network.id, fixed_ips=[{"ip_address": "10.9.0.77"}]
    )
    piece = server_piece()
    notes = notes_of(cloud, piece, networks=[interface(cloud, "10.9.0.77")])
    operation = restore_of(piece.resource)
    cloud.agent_server(operation, 0, "web")
    progress, _ = cloud.finish(operation, Contents(stored(piece), (notes,)))
    (check,) = progress.checks
    assert check.name.endswith("on netA")
    assert check.reason.startswith("10.9.0.77 is taken; it has 10.9.0.")


def test_further_addresses_of_an_interface_come_back(cloud: Cloud) -> None:
    piece = server_piece()
    notes = notes_of(cloud, piece, networks=[interface(cloud, "10.9.0.77", "10.9.0.78")])
    operation = restore_of(piece.resource)
    cloud.agent_server(operation, 0, "web")
    cloud.finish(operation, Contents(stored(piece), (notes,)))
    (port,) = cloud.world.ports
    assert {ip["ip_address"] for ip in port.shown["fixed_ips"]} == {"10.9.0.77", "10.9.0.78"}


def test_a_server_that_fails_for_its_address_is_made_without_it(cloud: Cloud) -> None:
    notes, contents, pieces = from_volumes(cloud, networks=[interface(cloud, "10.9.0.77")])
    operation = restore_of(source(notes))
    for i, piece in enumerate(pieces):
        cloud.agent_volume(operation, i, piece)
    step = cloud.rebuild.begin(operation, contents, {})
    (first,) = cloud.world.servers
    cloud.pass_time()
    fault = {"code": 500, "message": "Fixed IP address 10.9.0.77 is already in use."}
    first.shown.update({"status": "ERROR", "fault": fault})
    progress, _ = cloud.finish(operation, contents, step.notes)
    assert progress.state is ProgressState.SUCCEEDED
    (server,) = cloud.world.servers
    assert (first.id, progress.resources[0].id) != (server.id, first.id)
    assert [c.name for c in progress.checks if f"server {server.id} on netA" in c.name]


def test_each_of_two_ports_on_one_network_is_told_of(cloud: Cloud) -> None:
    taken = ("10.9.0.77", "10.9.0.78")
    for address in taken:
        cloud.sdk.network.create_port(
            network_id=cloud.network.id, fixed_ips=[{"ip_address": address}]
        )
    notes, contents, pieces = from_volumes(cloud, networks=[interface(cloud, a) for a in taken])
    operation = restore_of(source(notes))
    for i, piece in enumerate(pieces):
        cloud.agent_volume(operation, i, piece)
    progress, _ = cloud.finish(operation, contents)
    told = [c.reason.partition(" ")[0] for c in progress.checks if c.name.endswith("on netA")]
    assert sorted(told) == sorted(taken)


def test_allowed_address_pairs_come_back_with_the_ports_own_mac(cloud: Cloud) -> None:
    pairs = [
        {"ip_address": "10.9.0.100", "mac_address": "old"},
        {"ip_address": "10.9.0.101", "mac_address": "other"},
    ]
    written = {**interface(cloud, "10.9.0.77"), "mac": "old", "allowed_address_pairs": pairs}
    piece = server_piece()
    notes = notes_of(cloud, piece, networks=[written])
    operation = restore_of(piece.resource)
    cloud.agent_server(operation, 0, "web")
    progress, _ = cloud.finish(operation, Contents(stored(piece), (notes,)))
    assert progress.checks == ()
    (port,) = cloud.world.ports
    assert port.shown["allowed_address_pairs"] == [
        {"ip_address": "10.9.0.100"},
        {"ip_address": "10.9.0.101", "mac_address": "other"},
    ]


def test_a_server_that_fails_twice_is_a_failure(cloud: Cloud) -> None:
    notes, contents, pieces = from_volumes(cloud, networks=[interface(cloud, "10.9.0.77")])
    operation = restore_of(source(notes))
    for i, piece in enumerate(pieces):
        cloud.agent_volume(operation, i, piece)
    step = cloud.rebuild.begin(operation, contents, {})
    for _ in range(3):
        cloud.pass_time()
        for server in cloud.world.servers:
            server.shown.update({"status": "ERROR", "fault": {"message": "no host"}})
        step = cloud.rebuild.begin(operation, contents, step.notes)
    assert step.progress.state is ProgressState.FAILED
    assert "no host" in step.progress.reason
    cloud.undo(ended(operation, step.progress), contents, step.notes)
    assert cloud.made() == set()


def test_keys_and_groups_that_are_gone_are_told(cloud: Cloud) -> None:
    piece = server_piece()
    notes = notes_of(
        cloud, piece, key_name="lost", networks=[interface(cloud, "10.9.0.7", groups=("g",))]
    )
    operation = restore_of(piece.resource)
    cloud.agent_server(operation, 0, "web")
    progress, _ = cloud.finish(operation, Contents(stored(piece), (notes,)))
    assert progress.state is ProgressState.SUCCEEDED
    assert sorted(check.name for check in progress.checks) == [
        f"key pair of server {notes.id}",
        "security group g",
    ]


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        ({"flavor": {"id": "f", "name": "huge"}}, "its flavor 'huge' is not there"),
        ({"networks": [{"network": "n", "network_name": "lan"}]}, "its network lan is not there"),
    ],
)
def test_what_a_server_cannot_be_without_is_a_failure(
    cloud: Cloud, missing: dict[str, Any], reason: str
) -> None:
    notes, contents, pieces = from_volumes(cloud, **missing)
    operation = restore_of(source(notes))
    for i, piece in enumerate(pieces):
        cloud.agent_volume(operation, i, piece)
    progress, kept = cloud.finish(operation, contents)
    assert progress.state is ProgressState.FAILED
    assert reason in progress.reason
    cloud.undo(ended(operation, progress), contents, kept)
    assert cloud.made() == set()


@pytest.mark.parametrize("length", [0, 8])
def test_an_image_of_too_few_bytes_is_a_failure(cloud: Cloud, length: int) -> None:
    piece = server_piece()
    operation = restore_of(piece.resource)
    contents = Contents(stored(piece, length=9), (notes_of(cloud, piece),))
    cloud.agent_server(operation, 0, "web", length)
    progress, notes = cloud.finish(operation, contents)
    assert f"Freezer brought back {length} of 9 bytes of its image" in progress.reason
    cloud.undo(ended(operation, progress), contents, notes)
    assert cloud.made() == set()


def test_a_server_in_error_is_a_failure_with_novas_words_and_is_removed(cloud: Cloud) -> None:
    notes, contents, pieces = from_volumes(cloud)
    operation = restore_of(source(notes))
    for i, piece in enumerate(pieces):
        cloud.agent_volume(operation, i, piece)
    step = cloud.rebuild.begin(operation, contents, {})
    cloud.pass_time()
    (server,) = cloud.world.servers
    server.shown.update({"status": "ERROR", "fault": {"message": "No valid host was found."}})
    progress, kept = cloud.finish(operation, contents, step.notes)
    assert progress.reason == (
        f"{SERVER} {notes.id}: Nova put the new server {server.id} in ERROR: "
        "No valid host was found."
    )
    undone, _ = cloud.undo(ended(operation, progress), contents, kept)
    assert undone.leftovers == ()
    assert cloud.made() == set()


def test_a_server_without_one_of_its_volumes_is_a_failure(cloud: Cloud) -> None:
    notes, contents, pieces = from_volumes(cloud)
    operation = restore_of(source(notes))
    cloud.agent_volume(operation, 0, pieces[0])
    progress, kept = cloud.finish(operation, contents)
    assert progress.state is ProgressState.FAILED
    assert f"its volume {pieces[1].id} was not restored" in progress.reason
    assert not list(cloud.world.servers)
    cloud.undo(ended(operation, progress), contents, kept)
    assert cloud.made() == set()


def test_each_of_two_restores_at_once_makes_its_own(cloud: Cloud) -> None:
    piece = server_piece()
    contents = Contents(stored(piece), (notes_of(cloud, piece),))
    operations = [restore_of(piece.resource), restore_of(piece.resource)]
    for operation in operations:
        cloud.agent_server(operation, 0, "web")
    made = {cloud.finish(operation, contents)[0].resources[0].id for operation in operations}
    assert made == {server.id for server in cloud.world.servers}
    assert len(made) == 2


def changes_of_a_whole_rebuild() -> int:
    cloud = Cloud()
    try:
        notes, contents, pieces = from_volumes(cloud)
        operation = restore_of(source(notes))
        for i, piece in enumerate(pieces):
            cloud.agent_volume(operation, i, piece)
        before = cloud.changes
        cloud.finish(operation, contents)
        return cloud.changes - before
    finally:
        cloud.close()


def test_no_lost_reply_makes_anything_twice(cloud: Cloud) -> None:
    for lost in range(1, changes_of_a_whole_rebuild() + 1):
        notes, contents, pieces = from_volumes(cloud)
        operation = restore_of(source(notes))
        for i, piece in enumerate(pieces):
            cloud.agent_volume(operation, i, piece)
        cloud.lost = cloud.changes + lost
        progress, kept = cloud.finish_despite_faults(operation, contents)
        assert cloud.changes >= cloud.lost
        assert progress.state is ProgressState.SUCCEEDED
        assert len(cloud.made()) == 3
        for server in cloud.world.servers:
            assert server.id == progress.resources[0].id
        cloud.undo(operation, contents, kept)
        assert cloud.made() == set()


def test_the_image_gets_back_what_its_source_told_nova(cloud: Cloud) -> None:
    piece = server_piece()
    wanted = {"hw_disk_bus": "scsi", "os_type": "linux"}
    notes = notes_of(cloud, piece, image_properties=wanted)
    operation = restore_of(piece.resource)
    cloud.agent_server(operation, 0, "web")
    (image,) = (i for i in cloud.world.images if i.name.endswith("restore_web"))
    progress, _ = cloud.finish(operation, Contents(stored(piece), (notes,)))
    assert (progress.state, progress.checks) == (ProgressState.SUCCEEDED, ())
    assert {key: image.shown[key] for key in wanted} == wanted
