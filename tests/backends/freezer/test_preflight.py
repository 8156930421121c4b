"""Whether the cloud has what a restore needs."""

from typing import Any

import pytest

from karbor_backup_core import InvalidInput
from karbor_backup_freezer.pieces import Mode, Piece, ServerNotes
from karbor_backup_freezer.preflight import Preflight
from tests.backends.freezer.answering import AnsweringCloud

VOLUME = "OS::Cinder::Volume"
GIB = 2**30
FLAVOR = {"id": "f1", "name": "tiny", "vcpus": 2, "ram": 64, "disk": 1}
CINDER = {
    "maxTotalVolumes": 4,
    "totalVolumesUsed": 2,
    "maxTotalVolumeGigabytes": 10,
    "totalGigabytesUsed": 4,
}
NOVA = {
    "maxTotalInstances": 3,
    "totalInstancesUsed": 1,
    "maxTotalCores": 5,
    "totalCoresUsed": 1,
    "maxTotalRAMSize": -1,
    "totalRAMUsed": 0,
}


def piece(id_: str = "v1", gib: int = 1, mode: Mode = Mode.CINDER, **details: Any) -> Piece:
    return Piece(type=VOLUME, id=id_, mode=mode, size=gib * GIB, details=details)


def notes(id_: str = "s1", **details: Any) -> ServerNotes:
    networks = [{"network": "n1", "network_name": "net", "port": f"port of {id_}"}]
    details = {"flavor": FLAVOR, "networks": networks, **details}
    return ServerNotes(id=id_, name=id_, boots_from_volume=True, details=details)


@pytest.fixture
def cloud(answering: AnsweringCloud) -> AnsweringCloud:
    """A cloud that has what the pieces and notes above need."""
    answering.answer("/types$", {"volume_types": [{"id": "1", "name": "fast"}]})
    answering.answer("/flavors/f1$", {"flavor": {**FLAVOR, "id": "f1"}})
    answering.answer("/flavors(/detail)?$", {"flavors": []})
    answering.answer("/networks/n1$", {"network": {"id": "n1", "name": "net"}})
    answering.answer("/networks$", {"networks": []})
    answering.answer("/volume/v3/limits$", {"limits": {"rate": [], "absolute": CINDER}})
    answering.answer("/compute/v2.1/limits$", {"limits": {"rate": [], "absolute": NOVA}})
    return answering


def refusal(cloud: AnsweringCloud, *args: Any, **options: Any) -> str:
    with pytest.raises(InvalidInput) as caught:
        Preflight(cloud.services).check(*args, options)
    return str(caught.value)


def test_what_the_cloud_has_is_enough(cloud: AnsweringCloud) -> None:
    pieces = [piece("v1", 3, volume_type="fast"), piece("v2", 3)]
    Preflight(cloud.services).check(pieces, [notes("s1"), notes("s2")], {})
    asked = [request.path for request in cloud.proxy.requests]
    assert asked.count("/compute/v2.1/flavors/f1") == 1
    assert asked.count("/network/v2.0/networks/n1") == 1


@pytest.mark.parametrize(
    ("pieces", "servers", "words"),
    [
        ([piece(volume_type="gone")], [], ["no volume type 'gone'"]),
        ([piece(), piece(), piece()], [], ["Cinder's quota of volumes"]),
        ([piece(gib=7)], [], ["Cinder's quota of gigabytes is 10, 4 are in use, and 7 more"]),
        ([], [notes(flavor={**FLAVOR, "id": "f2"})], ["no flavor 'tiny' of at least 2 VCPUs"]),
        (
            [],
            [notes(networks=[{"network": "n2", "network_name": "net"}, {"network": "n3"}])],
            ["no network n2, nor one network alone of the name 'net'", "no network n3"],
        ),
        ([], [notes(), notes(), notes()], ["quota of instances", "quota of cores"]),
        ([piece(volume_type="gone")], [notes(networks=[{"network": "n2"}])], ["type", "network"]),
    ],
)
def test_all_that_is_missing_is_named(
    cloud: AnsweringCloud, pieces: list[Piece], servers: list[ServerNotes], words: list[str]
) -> None:
    told = refusal(cloud, pieces, servers)
    assert all(word in told for word in words)
    assert told.count(";") == len(words) - 1


def test_a_volume_is_written_over_if_it_is_there_and_free(cloud: AnsweringCloud) -> None:
    cloud.answer("/volumes/v1$", {"volume": {"id": "v1", "status": "available", "size": 1}})
    Preflight(cloud.services).check([piece(mode=Mode.NATIVE)], [], {"overwrite_volume": True})
    assert not [request for request in cloud.proxy.requests if "limits" in request.path]


@pytest.mark.parametrize(
    ("volume", "words"),
    [
        (None, "volume v1 is gone"),
        ({"status": "in-use", "size": 2}, "volume v1 is in state in-use"),
        ({"status": "available", "size": 1}, "volume v1 has 1 GiB: too small"),
    ],
)
def test_a_volume_that_cannot_be_written_over_is_a_refusal(
    cloud: AnsweringCloud, volume: dict[str, Any] | None, words: str
) -> None:
    if volume is not None:
        cloud.answer("/volumes/v1$", {"volume": {"id": "v1", **volume}})
    assert words in refusal(cloud, [piece(gib=2, mode=Mode.NATIVE)], [], overwrite_volume=True)


def test_no_permission_is_a_refusal(answering: AnsweringCloud) -> None:
    answering.answer("/types$", {"forbidden": {"message": "Policy says no."}}, 403)
    assert "Policy says no." in refusal(answering, [piece(volume_type="fast")], [])


def test_nothing_to_make_needs_nothing(answering: AnsweringCloud) -> None:
    Preflight(answering.services).check([], [], {})
    assert answering.proxy.requests == []


def test_only_cinders_own_backups_are_written_over_a_volume(cloud: AnsweringCloud) -> None:
    told = refusal(cloud, [piece()], [], overwrite_volume=True)
    assert "mode cinder, which is restored into a new volume only" in told
    assert cloud.proxy.requests == []
