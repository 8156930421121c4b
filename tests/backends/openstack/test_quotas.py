"""Whether quotas leave room."""

from typing import Any

import pytest

from karbor_backup_openstack.quotas import (
    QuotaRequirement,
    cinder_quota_problems,
    nova_quota_problems,
)
from tests.backends.openstack.stub_cloud import StubCloud

CINDER = {
    "maxTotalVolumes": 10,
    "totalVolumesUsed": 9,
    "maxTotalVolumeGigabytes": 100,
    "totalGigabytesUsed": 90,
    "maxTotalSnapshots": -1,
    "totalSnapshotsUsed": 5,
    "maxTotalBackups": 3,
    "totalBackupsUsed": 3,
    "maxTotalBackupGigabytes": 5,
    "totalBackupGigabytesUsed": 0,
}
NOVA = {
    "maxTotalInstances": 10,
    "totalInstancesUsed": 10,
    "maxTotalCores": 20,
    "totalCoresUsed": 1,
    "maxTotalRAMSize": 1024,
    "totalRAMUsed": 512,
}


def respond(cloud: StubCloud, path: str, absolute: dict[str, Any]) -> None:
    cloud.add_response(path, {"limits": {"rate": [], "absolute": absolute}})


@pytest.mark.parametrize(
    ("need", "quotas"),
    [
        (QuotaRequirement(volumes=1, gigabytes=10, snapshots=1000), []),
        (QuotaRequirement(volumes=2), ["volumes"]),
        (QuotaRequirement(volumes=2, gigabytes=11), ["volumes", "gigabytes"]),
        (QuotaRequirement(backups=1, backup_gigabytes=6), ["backups", "backup_gigabytes"]),
    ],
)
def test_cinders_quotas_are_named(
    stub_cloud: StubCloud, need: QuotaRequirement, quotas: list[str]
) -> None:
    respond(stub_cloud, "/volume/v3/limits", CINDER)
    problems = cinder_quota_problems(stub_cloud.services, need)
    assert [fault.split()[3] for fault in problems] == quotas


def test_novas_quotas_are_named(stub_cloud: StubCloud) -> None:
    respond(stub_cloud, "/compute/v2.1/limits", NOVA)
    assert nova_quota_problems(
        stub_cloud.services, QuotaRequirement(instances=1, cores=19, ram=513)
    ) == [
        "Nova's quota of instances is 10, 10 are in use, and 1 more are needed",
        "Nova's quota of ram is 1024, 512 are in use, and 513 more are needed",
    ]


def test_quotas_of_unneeded_resources_are_not_requested(stub_cloud: StubCloud) -> None:
    assert cinder_quota_problems(stub_cloud.services, QuotaRequirement(instances=1)) == []
    assert nova_quota_problems(stub_cloud.services, QuotaRequirement(volumes=1)) == []
    assert stub_cloud.proxy.requests == []


def test_exhausted_quota_of_an_unneeded_resource_is_ignored(
    stub_cloud: StubCloud,
) -> None:
    respond(stub_cloud, "/volume/v3/limits", {**CINDER, "maxTotalBackups": 0})
    assert cinder_quota_problems(stub_cloud.services, QuotaRequirement(volumes=1)) == []
