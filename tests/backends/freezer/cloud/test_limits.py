"""Whether quotas leave room."""

from typing import Any

import pytest

from karbor_backup_freezer.cloud.limits import Need, cinder_faults, nova_faults
from tests.backends.freezer.answering import AnsweringCloud

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


def answer(cloud: AnsweringCloud, path: str, absolute: dict[str, Any]) -> None:
    cloud.answer(path, {"limits": {"rate": [], "absolute": absolute}})


@pytest.mark.parametrize(
    ("need", "quotas"),
    [
        (Need(volumes=1, gigabytes=10, snapshots=1000), []),
        (Need(volumes=2), ["volumes"]),
        (Need(volumes=2, gigabytes=11), ["volumes", "gigabytes"]),
        (Need(backups=1, backup_gigabytes=6), ["backups", "backup_gigabytes"]),
    ],
)
def test_cinders_quotas_are_named(answering: AnsweringCloud, need: Need, quotas: list[str]) -> None:
    answer(answering, "/volume/v3/limits", CINDER)
    found = cinder_faults(answering.services, need)
    assert [fault.split()[3] for fault in found] == quotas


def test_novas_quotas_are_named(answering: AnsweringCloud) -> None:
    answer(answering, "/compute/v2.1/limits", NOVA)
    assert nova_faults(answering.services, Need(instances=1, cores=19, ram=513)) == [
        "Nova's quota of instances is 10, 10 are in use, and 1 more are needed",
        "Nova's quota of ram is 1024, 512 are in use, and 513 more are needed",
    ]


def test_quotas_of_what_is_not_needed_are_not_asked_for(answering: AnsweringCloud) -> None:
    assert cinder_faults(answering.services, Need(instances=1)) == []
    assert nova_faults(answering.services, Need(volumes=1)) == []
    assert answering.proxy.requests == []


def test_an_exhausted_quota_is_no_matter_to_who_needs_nothing_of_it(
    answering: AnsweringCloud,
) -> None:
    answer(answering, "/volume/v3/limits", {**CINDER, "maxTotalBackups": 0})
    assert cinder_faults(answering.services, Need(volumes=1)) == []
