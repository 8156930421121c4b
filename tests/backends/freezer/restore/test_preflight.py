"""Whether the cloud has what a restore needs."""

from collections.abc import Sequence
from typing import Any

import pytest

from karbor_backup_core import InvalidInput
from karbor_backup_freezer.model.items import BackupItem, Mode
from karbor_backup_freezer.restore.preflight import Preflight
from karbor_backup_openstack.server_spec import ServerSpec
from tests.backends.openstack.stub_cloud import StubCloud

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


def volume_item(
    id_: str = "v1", gib: int = 1, mode: Mode = Mode.CINDER, **details: Any
) -> BackupItem:
    return BackupItem(type=VOLUME, id=id_, mode=mode, size=gib * GIB, details=details)


def server_spec(id_: str = "s1", **details: Any) -> ServerSpec:
    networks = [{"network": "n1", "network_name": "net", "port": f"port of {id_}"}]
    details = {"flavor": FLAVOR, "networks": networks, **details}
    return ServerSpec(id=id_, name=id_, boots_from_volume=True, details=details)


@pytest.fixture
def cloud(stub_cloud: StubCloud) -> StubCloud:
    """Return a cloud that has what the items and descriptions above need."""
    stub_cloud.add_response("/types$", {"volume_types": [{"id": "1", "name": "fast"}]})
    stub_cloud.add_response("/flavors/f1$", {"flavor": {**FLAVOR, "id": "f1"}})
    stub_cloud.add_response("/flavors(/detail)?$", {"flavors": []})
    stub_cloud.add_response("/networks/n1$", {"network": {"id": "n1", "name": "net"}})
    stub_cloud.add_response("/networks$", {"networks": []})
    stub_cloud.add_response("/volume/v3/limits$", {"limits": {"rate": [], "absolute": CINDER}})
    stub_cloud.add_response("/compute/v2.1/limits$", {"limits": {"rate": [], "absolute": NOVA}})
    return stub_cloud


def refusal(
    cloud: StubCloud, items: Sequence[BackupItem], servers: Sequence[ServerSpec], **options: Any
) -> str:
    with pytest.raises(InvalidInput) as caught:
        Preflight(cloud.services).check(items, servers, options)
    return str(caught.value)


def test_preflight_passes_when_everything_is_there(cloud: StubCloud) -> None:
    items = [volume_item("v1", 3, volume_type="fast"), volume_item("v2", 3)]
    Preflight(cloud.services).check(items, [server_spec("s1"), server_spec("s2")], {})
    asked = [request.path for request in cloud.proxy.requests]
    assert asked.count("/compute/v2.1/flavors/f1") == 1
    assert asked.count("/network/v2.0/networks/n1") == 1


@pytest.mark.parametrize(
    ("items", "servers", "words"),
    [
        ([volume_item(volume_type="gone")], [], ["no volume type 'gone'"]),
        ([volume_item(), volume_item(), volume_item()], [], ["Cinder's quota of volumes"]),
        ([volume_item(gib=7)], [], ["Cinder's quota of gigabytes is 10, 4 are in use, and 7 more"]),
        (
            [],
            [server_spec(flavor={**FLAVOR, "id": "f2"})],
            ["no flavor 'tiny' of at least 2 VCPUs"],
        ),
        (
            [],
            [server_spec(networks=[{"network": "n2", "network_name": "net"}, {"network": "n3"}])],
            ["no network n2, nor one network alone of the name 'net'", "no network n3"],
        ),
        (
            [],
            [server_spec(), server_spec(), server_spec()],
            ["quota of instances", "quota of cores"],
        ),
        (
            [volume_item(volume_type="gone")],
            [server_spec(networks=[{"network": "n2"}])],
            ["type", "network"],
        ),
    ],
)
def test_preflight_names_everything_missing(
    cloud: StubCloud, items: list[BackupItem], servers: list[ServerSpec], words: list[str]
) -> None:
    message = refusal(cloud, items, servers)
    assert all(word in message for word in words)
    assert message.count(";") == len(words) - 1


def test_existing_and_unused_volume_may_be_overwritten(cloud: StubCloud) -> None:
    cloud.add_response("/volumes/v1$", {"volume": {"id": "v1", "status": "available", "size": 1}})
    Preflight(cloud.services).check([volume_item(mode=Mode.NATIVE)], [], {"overwrite_volume": True})
    assert not [request for request in cloud.proxy.requests if "limits" in request.path]


@pytest.mark.parametrize(
    ("volume", "words"),
    [
        (None, "volume v1 is gone"),
        ({"status": "in-use", "size": 2}, "volume v1 is in state in-use"),
        ({"status": "available", "size": 1}, "volume v1 has 1 GiB: too small"),
    ],
)
def test_volume_that_cannot_be_overwritten_is_refused(
    cloud: StubCloud, volume: dict[str, Any] | None, words: str
) -> None:
    if volume is not None:
        cloud.add_response("/volumes/v1$", {"volume": {"id": "v1", **volume}})
    assert words in refusal(
        cloud, [volume_item(gib=2, mode=Mode.NATIVE)], [], overwrite_volume=True
    )


def test_missing_permission_is_refused(stub_cloud: StubCloud) -> None:
    stub_cloud.add_response("/types$", {"forbidden": {"message": "Policy says no."}}, 403)
    assert "Policy says no." in refusal(stub_cloud, [volume_item(volume_type="fast")], [])


def test_preflight_without_items_sends_no_request(stub_cloud: StubCloud) -> None:
    Preflight(stub_cloud.services).check([], [], {})
    assert stub_cloud.proxy.requests == []


def test_only_native_backups_may_overwrite_a_volume(cloud: StubCloud) -> None:
    message = refusal(cloud, [volume_item()], [], overwrite_volume=True)
    assert "mode cinder, which is restored into a new volume only" in message
    assert cloud.proxy.requests == []
