"""Flavors, networks and volume types, found again."""

from typing import Any

import pytest

from karbor_backup_freezer.cloud.lookups import flavor_for, network_for, volume_type_names
from tests.backends.freezer.answering import AnsweringCloud

NOTED = {"id": "f1", "name": "small", "vcpus": 2, "ram": 512, "disk": 10}


def flavor(**changes: Any) -> dict[str, Any]:
    sizes = {"vcpus": 2, "ram": 512, "disk": 10, "OS-FLV-EXT-DATA:ephemeral": 0, "swap": ""}
    return {"id": "f2", "name": "small", **sizes, **changes}


def test_a_flavor_is_found_by_its_id(answering: AnsweringCloud) -> None:
    answering.answer("/flavors/f1$", {"flavor": flavor(id="f1", name="renamed", vcpus=1)})
    found = flavor_for(answering.services, NOTED)
    assert found is not None
    assert found.id == "f1"


@pytest.mark.parametrize(
    ("changes", "found"),
    [({}, True), ({"vcpus": 4}, True), ({"vcpus": 1}, False), ({"disk": 9}, False)],
)
def test_a_flavor_made_anew_may_be_larger(
    answering: AnsweringCloud, changes: dict[str, Any], *, found: bool
) -> None:
    answering.answer("/flavors(/detail)?$", {"flavors": [flavor(**changes)]})
    assert (flavor_for(answering.services, NOTED) is not None) is found


def test_a_flavor_that_is_gone_is_not_found(answering: AnsweringCloud) -> None:
    answering.answer("/flavors(/detail)?$", {"flavors": []})
    assert flavor_for(answering.services, {"name": "small"}) is None


def test_a_network_is_found_by_its_id(answering: AnsweringCloud) -> None:
    answering.answer("/networks/n1$", {"network": {"id": "n1", "name": "renamed"}})
    found = network_for(answering.services, {"network": "n1", "network_name": "net"})
    assert found is not None
    assert found.id == "n1"


@pytest.mark.parametrize(("ids", "found"), [(["n2"], "n2"), ([], None), (["n2", "n3"], None)])
def test_a_network_made_anew_is_found_by_a_name_that_is_its_own(
    answering: AnsweringCloud, ids: list[str], found: str | None
) -> None:
    answering.answer("/networks$", {"networks": [{"id": one, "name": "net"} for one in ids]})
    network = network_for(answering.services, {"network": "n1", "network_name": "net"})
    assert (network and network.id) == found


def test_a_network_whose_name_is_not_known_is_not_guessed(answering: AnsweringCloud) -> None:
    answering.answer("/networks$", {"networks": [{"id": "n2", "name": ""}]})
    assert network_for(answering.services, {"network": "n1"}) is None


def test_volume_types_are_told_by_name(answering: AnsweringCloud) -> None:
    types = [{"id": "1", "name": "fast"}, {"id": "2", "name": "slow"}]
    answering.answer("/types$", {"volume_types": types})
    assert volume_type_names(answering.services) == {"fast", "slow"}
