"""How a request gets to the scripted cloud: logins, tokens, and what a project sees."""

from typing import Any

import pytest
import requests
from keystoneauth1.exceptions import EndpointNotFound
from openstack.exceptions import BadRequestException, NotFoundException

from tests.support.tests.scripted_cloud.conftest import CloudHarness


def test_cloud_has_the_default_resources(demo: Any) -> None:
    assert [flavor.name for flavor in demo.compute.flavors()] == ["tiny"]
    assert [network.name for network in demo.network.networks()] == ["netA"]
    assert [image.name for image in demo.image.images()] == ["guest"]
    assert [kind.name for kind in demo.block_storage.types()] == ["standard", "fast"]
    assert demo.block_storage.get_limits().absolute.total_volumes_used == 0


def test_unknown_token_is_refused(harness: CloudHarness) -> None:
    url = f"{harness.cloud.url}/volume/v3/volumes"
    answer = requests.get(url, headers={"X-Auth-Token": "nobody's"}, timeout=20)
    assert answer.status_code == 401


def test_catalog_of_keystone_does_not_list_the_cloud(harness: CloudHarness) -> None:
    session = harness.sandbox.session()
    assert session.get_endpoint(service_type="identity")
    with pytest.raises(EndpointNotFound):
        session.get_endpoint(service_type="image")


def test_project_lists_its_own_resources_and_an_administrator_all(
    harness: CloudHarness, demo: Any
) -> None:
    volume = demo.block_storage.create_volume(size=1)
    other, admin = harness.connect("other"), harness.connect("admin")
    with pytest.raises(NotFoundException, match=f"Volume {volume.id} could not be found"):
        other.block_storage.get_volume(volume.id)
    assert list(other.block_storage.volumes()) == []
    assert admin.block_storage.get_volume(volume.id).id == volume.id
    assert [v.id for v in admin.block_storage.volumes(all_projects=True)] == [volume.id]


def test_resources_are_listed_in_pages_and_by_their_fields(demo: Any) -> None:
    for name in ("one", "two", "three"):
        demo.block_storage.create_volume(size=1, name=name)
    assert [v.name for v in demo.block_storage.volumes(limit=2)] == ["one", "two", "three"]
    assert [v.name for v in demo.block_storage.volumes(name="two")] == ["two"]


def test_each_service_returns_its_own_error_format(demo: Any) -> None:
    with pytest.raises(NotFoundException, match="Instance nope could not be found"):
        demo.compute.get_server("nope")
    with pytest.raises(NotFoundException, match="Network nope could not be found"):
        demo.network.get_network("nope")
    with pytest.raises(NotFoundException, match="Image nope could not be found"):
        demo.image.get_image("nope")
    with pytest.raises(BadRequestException, match="zone 'moon' is invalid"):
        demo.block_storage.create_volume(size=1, availability_zone="moon")


def test_renew_removes_all_resources(harness: CloudHarness, demo: Any) -> None:
    before = set(harness.state.inventory)
    demo.block_storage.create_volume(size=1)
    assert set(harness.state.inventory) > before
    harness.cloud.renew()
    assert list(demo.block_storage.volumes()) == []
