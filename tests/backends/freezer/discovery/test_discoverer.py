"""The discovery of a server and of a volume."""

from typing import Any

import pytest

from karbor_backup_core import BackendError, Check, InvalidInput, Resource, Transient, Unsupported
from karbor_backup_freezer.discovery import Discoverer
from karbor_backup_freezer.model.items import BackupItem, DiscoveryResult, Mode
from karbor_backup_openstack.server_spec import Attachment
from tests.backends.openstack.discovery.cloud_documents import (
    serve_project,
    server_document,
    volume_document,
)
from tests.backends.openstack.stub_cloud import PROJECT_ID, StubCloud
from tests.support import http_faults

SERVER, VOLUME, PROJECT = "OS::Nova::Server", "OS::Cinder::Volume", "OS::Keystone::Project"
GIB = 2**30


def discover(cloud: StubCloud, type_: str, id_: str, **options: Any) -> DiscoveryResult:
    return Discoverer(cloud.services).discover(Resource(type_, id_), options)


def refusal_message(cloud: StubCloud, type_: str, id_: str, **options: Any) -> str:
    with pytest.raises(InvalidInput) as caught:
        discover(cloud, type_, id_, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_server_that_boots_from_an_image_is_one_item(stub_cloud: StubCloud) -> None:
    serve_project(stub_cloud, [server_document("s1", image="i1")])
    discovered = discover(stub_cloud, SERVER, "s1")
    assert discovered.resource == Resource(SERVER, "s1", "name of s1")
    assert discovered.items == (
        BackupItem(type=SERVER, id="s1", name="name of s1", mode=Mode.NOVA),
    )
    assert not discovered.servers[0].boots_from_volume
    assert discovered.checks == ()


def test_server_that_boots_from_a_volume_has_its_volume_as_item(stub_cloud: StubCloud) -> None:
    serve_project(
        stub_cloud,
        [server_document("s1")],
        [
            volume_document("v1", bootable=True, status="in-use"),
            volume_document("v2", status="in-use"),
        ],
        attached={"s1": {"v2": "/dev/vdb", "v1": "/dev/vda"}},
    )
    discovered = discover(stub_cloud, SERVER, "s1")
    assert [(item.id, item.mode, item.size) for item in discovered.items] == [
        ("v1", Mode.CINDER, 2 * GIB)
    ]
    assert discovered.servers[0].boots_from_volume
    assert discovered.servers[0].attachments == (
        Attachment(volume="v1", device="/dev/vda", boot_index=0, included=True),
        Attachment(volume="v2", device="/dev/vdb", included=False),
    )
    assert discovered.checks == (
        Check("volume v2", verified=False, reason="attached to server s1 and not in this backup"),
    )


@pytest.mark.parametrize(("image", "modes"), [("i1", ["nova", "cinder"]), ("", ["cinder"] * 2)])
def test_other_volumes_of_a_server_are_included_on_demand(
    stub_cloud: StubCloud, image: str, modes: list[str]
) -> None:
    volumes = {"v2": "/dev/vdb"} if image else {"v2": "/dev/vdb", "v1": "/dev/vda"}
    serve_project(
        stub_cloud,
        [server_document("s1", image=image)],
        [volume_document("v1", bootable=True), volume_document("v2")],
        attached={"s1": volumes},
    )
    discovered = discover(stub_cloud, SERVER, "s1", include_volumes=True)
    assert [item.mode for item in discovered.items] == modes
    assert discovered.items[-1].id == "v2"
    assert all(attachment.included for attachment in discovered.servers[0].attachments)
    assert discovered.checks == ()


def test_an_included_volume_that_cannot_be_backed_up_refuses_the_server(
    stub_cloud: StubCloud,
) -> None:
    serve_project(
        stub_cloud,
        [server_document("s1", image="i1")],
        [volume_document("v1", encrypted=True)],
        attached={"s1": {"v1": "/dev/vdb"}},
    )
    assert discover(stub_cloud, SERVER, "s1").items[0].id == "s1"
    assert "encrypted" in refusal_message(stub_cloud, SERVER, "s1", include_volumes=True)


@pytest.mark.parametrize("mode", ["cinder", "cindernative"])
def test_volume_is_one_item_in_the_requested_mode(stub_cloud: StubCloud, mode: str) -> None:
    serve_project(
        stub_cloud,
        volumes=[
            volume_document(
                "v1",
                bootable=True,
                description="words",
                metadata={"a": "b", "karbor_backup_operation": "x"},
                volume_image_metadata={"os_type": "linux"},
            )
        ],
    )
    assert discover(stub_cloud, VOLUME, "v1", mode=mode).items == (
        BackupItem(
            type=VOLUME,
            id="v1",
            name="name of v1",
            mode=Mode(mode),
            size=2 * GIB,
            details={
                "volume_type": "fast",
                "availability_zone": "nova",
                "metadata": {"a": "b"},
                "bootable": True,
                "image_metadata": {"os_type": "linux"},
                "description": "words",
            },
        ),
    )


@pytest.mark.parametrize(
    ("limits", "mode", "words"),
    [
        ({"maxTotalVolumes": 3, "totalVolumesUsed": 3}, "cinder", "quota of volumes"),
        ({"maxTotalVolumeGigabytes": 3, "totalGigabytesUsed": 2}, "cinder", "of gigabytes"),
        ({"maxTotalSnapshots": 0, "totalSnapshotsUsed": 0}, "cinder", "quota of snapshots"),
        ({"maxTotalBackups": 1, "totalBackupsUsed": 1}, "cindernative", "quota of backups"),
    ],
)
def test_quota_too_small_for_the_agents_copies_is_refused(
    stub_cloud: StubCloud, limits: dict[str, int], mode: str, words: str
) -> None:
    serve_project(stub_cloud, volumes=[volume_document("v1")], limits=limits)
    assert words in refusal_message(stub_cloud, VOLUME, "v1", mode=mode)
    other = "cindernative" if mode == "cinder" else "cinder"
    assert discover(stub_cloud, VOLUME, "v1", mode=other)


@pytest.mark.parametrize("type_", [SERVER, VOLUME])
def test_unknown_id_is_refused(stub_cloud: StubCloud, type_: str) -> None:
    assert "nope: status 404" in refusal_message(stub_cloud, type_, "nope")


def test_id_of_another_type_error_names_that_type(stub_cloud: StubCloud) -> None:
    serve_project(stub_cloud, [server_document("s1", image="i1")], [volume_document("v1")])
    assert refusal_message(stub_cloud, SERVER, "v1").endswith(
        "That is the id of OS::Cinder::Volume."
    )
    assert refusal_message(stub_cloud, VOLUME, "s1").endswith("That is the id of OS::Nova::Server.")


def test_resources_of_another_project_are_refused(stub_cloud: StubCloud) -> None:
    others: dict[str, Any] = {"tenant_id": "other", "os-vol-tenant-attr:tenant_id": "other"}
    serve_project(
        stub_cloud, [server_document("s1", image="i1", **others)], [volume_document("v1", **others)]
    )
    for type_, id_ in ((SERVER, "s1"), (VOLUME, "v1")):
        words = refusal_message(stub_cloud, type_, id_)
        assert "is of project other" in words
        assert PROJECT_ID in words
    assert f"are for project {PROJECT_ID}" in refusal_message(stub_cloud, PROJECT, "other")


def test_unprotectable_state_is_refused(stub_cloud: StubCloud) -> None:
    serve_project(
        stub_cloud,
        [server_document("s1", image="i1", status="ERROR")],
        [volume_document("v1", status="creating")],
    )
    assert "ERROR" in refusal_message(stub_cloud, SERVER, "s1")
    assert "creating" in refusal_message(stub_cloud, VOLUME, "v1")


def test_missing_permission_is_refused(stub_cloud: StubCloud) -> None:
    stub_cloud.add_response("/volumes/v1$", {"forbidden": {"message": "Policy says no."}}, 403)
    assert "status 403: Policy says no." in refusal_message(stub_cloud, VOLUME, "v1")


def test_malformed_id_is_never_sent(stub_cloud: StubCloud) -> None:
    refusal_message(stub_cloud, VOLUME, "../servers/s1")
    assert stub_cloud.proxy.requests == []


def test_other_types_are_not_discovered(stub_cloud: StubCloud) -> None:
    with pytest.raises(Unsupported, match="Directory"):
        discover(stub_cloud, "Freezer::FileSystem::Directory", "/srv")


def test_transient_error_is_not_refused(stub_cloud: StubCloud) -> None:
    stub_cloud.proxy.plan(http_faults.error_response(503), times=None, path="/volumes/v1$")
    with pytest.raises(BackendError) as caught:
        discover(stub_cloud, VOLUME, "v1")
    assert isinstance(caught.value, Transient)


@pytest.mark.parametrize(
    ("type_", "mode", "limit"),
    [(VOLUME, "cinder", 244), (VOLUME, "cindernative", 255), (SERVER, "", 212)],
)
def test_name_too_long_to_be_restored_is_refused(
    stub_cloud: StubCloud, type_: str, mode: str, limit: int
) -> None:
    options = {"mode": mode} if mode else {}
    for length, accepted in ((limit, True), (limit + 1, mode == "cindernative")):
        one = f"x{length}"
        named = {"name": "n" * length}
        servers = [{**server_document(one, image="i1"), **named}] if type_ == SERVER else []
        volumes = [{**volume_document(one), **named}] if type_ == VOLUME else []
        serve_project(stub_cloud, servers, volumes)
        if accepted:
            assert discover(stub_cloud, type_, one, **options).items
        else:
            message = refusal_message(stub_cloud, type_, one, **options)
            assert f"has {length} characters" in message
            assert f"more than {limit}" in message
            assert discover(stub_cloud, type_, one, allow_unrestorable=True, **options).items


def test_names_of_project_members_are_checked_in_each_mode(stub_cloud: StubCloud) -> None:
    long = {"name": "n" * 250}
    serve_project(
        stub_cloud,
        [{**server_document("s1", image="i1"), **long}],
        [{**volume_document("v1"), **long}],
    )
    message = refusal_message(stub_cloud, PROJECT, PROJECT_ID)
    assert "name of server s1 has 250" in message
    assert "name of volume v1 has 250" in message
    assert "name of server s1 has 250" in refusal_message(
        stub_cloud, PROJECT, PROJECT_ID, mode="tenant"
    )
