"""Flavors, networks and volume types, found again."""

from typing import Any

import pytest

from karbor_backup_openstack.lookups import find_flavor, find_network, list_volume_type_names
from tests.backends.openstack.stub_cloud import StubCloud

NOTED = {"id": "f1", "name": "small", "vcpus": 2, "ram": 512, "disk": 10}


def flavor_document(**changes: Any) -> dict[str, Any]:
    sizes = {"vcpus": 2, "ram": 512, "disk": 10, "OS-FLV-EXT-DATA:ephemeral": 0, "swap": ""}
    return {"id": "f2", "name": "small", **sizes, **changes}


def test_a_flavor_is_found_by_its_id(stub_cloud: StubCloud) -> None:
    stub_cloud.add_response(
        "/flavors/f1$", {"flavor": flavor_document(id="f1", name="renamed", vcpus=1)}
    )
    flavor = find_flavor(stub_cloud.services, NOTED)
    assert flavor is not None
    assert flavor.id == "f1"


@pytest.mark.parametrize(
    ("changes", "is_found"),
    [({}, True), ({"vcpus": 4}, True), ({"vcpus": 1}, False), ({"disk": 9}, False)],
)
def test_recreated_flavor_may_be_larger(
    stub_cloud: StubCloud, changes: dict[str, Any], *, is_found: bool
) -> None:
    stub_cloud.add_response("/flavors(/detail)?$", {"flavors": [flavor_document(**changes)]})
    assert (find_flavor(stub_cloud.services, NOTED) is not None) is is_found


def test_missing_flavor_is_not_found(stub_cloud: StubCloud) -> None:
    stub_cloud.add_response("/flavors(/detail)?$", {"flavors": []})
    assert find_flavor(stub_cloud.services, {"name": "small"}) is None


def test_a_network_is_found_by_its_id(stub_cloud: StubCloud) -> None:
    stub_cloud.add_response("/networks/n1$", {"network": {"id": "n1", "name": "renamed"}})
    network = find_network(stub_cloud.services, {"network": "n1", "network_name": "net"})
    assert network is not None
    assert network.id == "n1"


@pytest.mark.parametrize(("ids", "expected"), [(["n2"], "n2"), ([], None), (["n2", "n3"], None)])
def test_recreated_network_is_found_by_its_unique_name(
    stub_cloud: StubCloud, ids: list[str], expected: str | None
) -> None:
    stub_cloud.add_response("/networks$", {"networks": [{"id": one, "name": "net"} for one in ids]})
    network = find_network(stub_cloud.services, {"network": "n1", "network_name": "net"})
    assert (network and network.id) == expected


def test_network_without_a_known_name_is_not_found(stub_cloud: StubCloud) -> None:
    stub_cloud.add_response("/networks$", {"networks": [{"id": "n2", "name": ""}]})
    assert find_network(stub_cloud.services, {"network": "n1"}) is None


def test_volume_types_are_listed_by_name(stub_cloud: StubCloud) -> None:
    types = [{"id": "1", "name": "fast"}, {"id": "2", "name": "slow"}]
    stub_cloud.add_response("/types$", {"volume_types": types})
    assert list_volume_type_names(stub_cloud.services) == {"fast", "slow"}
