"""The discovery of a project."""

from typing import Any

import pytest

from karbor_backup_core import InvalidInput, Resource
from karbor_backup_freezer.discovery import Discoverer
from karbor_backup_freezer.model.items import DiscoveryResult
from tests.backends.openstack.discovery.cloud_documents import (
    serve_project,
    server_document,
    volume_document,
)
from tests.backends.openstack.stub_cloud import PROJECT_ID, StubCloud

PROJECT = Resource("OS::Keystone::Project", PROJECT_ID, "demo")
PREFIX = f"{'0a' * 16}-3_"


def image_document(id_: str, **more: Any) -> dict[str, Any]:
    return {"id": id_, "name": f"name of {id_}", "status": "active", "size": 5, **more}


def discover_project(cloud: StubCloud, **options: Any) -> DiscoveryResult:
    return Discoverer(cloud.services).discover(PROJECT, options)


def item_ids(discovered: DiscoveryResult) -> list[tuple[str, str]]:
    return [(item.mode.value, item.id) for item in discovered.items]


def test_every_server_and_volume_is_one_item(stub_cloud: StubCloud) -> None:
    serve_project(
        stub_cloud,
        [server_document("s1", image="i1"), server_document("s2")],
        [
            volume_document("v1", bootable=True, multiattach=True),
            volume_document("v2"),
            volume_document("v3"),
        ],
        [image_document("i1")],
        attached={"s1": {"v1": "/dev/vdb"}, "s2": {"v1": "/dev/vda", "v2": "/dev/vdb"}},
    )
    discovered = discover_project(stub_cloud)
    assert discovered.resource == PROJECT
    assert item_ids(discovered) == [
        ("nova", "s1"),
        ("cinder", "v1"),
        ("cinder", "v2"),
        ("cinder", "v3"),
    ]
    assert [notes.id for notes in discovered.servers] == ["s1", "s2"]
    assert all(a.included for notes in discovered.servers for a in notes.attachments)
    assert discovered.checks == ()
    assert not [r for r in stub_cloud.proxy.requests if r.path.startswith("/image")]


def test_images_are_items_on_demand(stub_cloud: StubCloud) -> None:
    serve_project(stub_cloud, images=[image_document("i1"), image_document("i2", size=0)])
    discovered = discover_project(stub_cloud, include_images=True)
    assert item_ids(discovered) == [("glance", "i1")]
    assert discovered.items[0].size == 5
    assert [check.name for check in discovered.checks] == ["image i2"]
    asked = [r.query for r in stub_cloud.proxy.requests if r.path.endswith("/images")]
    assert [f"owner={PROJECT_ID}" in query for query in asked] == [True, True]
    assert sum("os_hidden" in query for query in asked) == 1


def test_empty_project_has_no_items(stub_cloud: StubCloud) -> None:
    serve_project(stub_cloud)
    assert discover_project(stub_cloud).items == ()
    assert discover_project(stub_cloud, mode="tenant").items == ()


def test_temporary_resources_of_jobs_are_left_out(stub_cloud: StubCloud) -> None:
    serve_project(
        stub_cloud,
        volumes=[
            volume_document("v1", name=f"{PREFIX}backup_v2", status="deleting"),
            volume_document("v2"),
        ],
        images=[image_document("i1", name=f"{PREFIX}restore_web", status="saving")],
    )
    assert item_ids(discover_project(stub_cloud, include_images=True)) == [("cinder", "v2")]


def test_every_resource_in_a_wrong_state_is_named(stub_cloud: StubCloud) -> None:
    serve_project(
        stub_cloud,
        [server_document("s1", image="i1", status="ERROR"), server_document("s2", image="i1")],
        [volume_document("v1", status="creating"), volume_document("v2", encrypted=True)],
        [image_document("i1", status="saving")],
    )
    with pytest.raises(InvalidInput) as caught:
        discover_project(stub_cloud, include_images=True)
    for words in ("server s1", "volume v1", "volume v2", "image i1"):
        assert words in str(caught.value)
    assert "server s2" not in str(caught.value)


def test_refusal_lists_a_limited_number_of_reasons(stub_cloud: StubCloud) -> None:
    serve_project(
        stub_cloud, volumes=[volume_document(f"v{number}", status="error") for number in range(25)]
    )
    with pytest.raises(InvalidInput, match=r"and 15 more$"):
        discover_project(stub_cloud)


def test_tenant_mode_backup_of_a_project_is_one_item(stub_cloud: StubCloud) -> None:
    serve_project(
        stub_cloud,
        [server_document("s1", image="i1"), server_document("s2", image="i1")],
        [volume_document("v1")],
    )
    discovered = discover_project(stub_cloud, mode="tenant")
    assert item_ids(discovered) == [("tenant", PROJECT_ID)]
    assert [notes.id for notes in discovered.servers] == ["s1", "s2"]
    assert [check.verified for check in discovered.checks] == [False]


def test_tenant_mode_is_refused_where_it_would_store_nothing(
    stub_cloud: StubCloud,
) -> None:
    serve_project(
        stub_cloud,
        [server_document("s1", image="i1"), server_document("s2")],
        [volume_document("v1", bootable=True)],
        attached={"s2": {"v1": "/dev/vda"}},
    )
    with pytest.raises(InvalidInput, match=r"server s2 .*use the mode 'resources'"):
        discover_project(stub_cloud, mode="tenant")


def test_quota_check_needs_space_for_the_largest_volume_once(stub_cloud: StubCloud) -> None:
    limits = {"maxTotalVolumes": 3, "totalVolumesUsed": 2, "maxTotalVolumeGigabytes": 10}
    volumes = [volume_document("v1", size=3), volume_document("v2", size=4)]
    serve_project(stub_cloud, volumes=volumes, limits={**limits, "totalGigabytesUsed": 6})
    assert len(discover_project(stub_cloud).items) == 2
