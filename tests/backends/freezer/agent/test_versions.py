"""The version of freezer-agent on each host, and what is refused where it is too old."""

from collections.abc import Mapping
from typing import Any

import pytest

from karbor_backup_core import InvalidInput
from karbor_backup_freezer.agent.versions import (
    AgentVersions,
    describe_agent_limit,
    newest_versions,
)
from karbor_backup_freezer.model.items import BackupItem, Mode
from tests.support.fake_freezer import FakeFreezer

VOLUME = BackupItem(type="OS::Cinder::Volume", id="v", name="v", mode=Mode.CINDER)
DIRECTORY = BackupItem(type="Freezer::FileSystem::Directory", id="/d", name="", mode=Mode.FS)


def freezer_with_records(*records: Mapping[str, Any]) -> FakeFreezer:
    freezer = FakeFreezer()
    for record in records:
        freezer.add_record(record["backup_metadata"])
    return freezer


def record_document(hostname: str, version: str, time_stamp: int) -> dict[str, Any]:
    metadata = {"hostname": hostname, "client_version": version, "time_stamp": time_stamp}
    return {"backup_metadata": metadata}


def test_newest_record_of_each_host_decides_in_any_order() -> None:
    records = [
        record_document("a", "19.0.0", 2),
        record_document("a", "17.0.0", 1),
        record_document("b", "18.0.0", 1),
    ]
    expected = {"a": "19.0.0", "b": "18.0.0"}
    assert newest_versions(records) == newest_versions(records[::-1]) == expected


@pytest.mark.parametrize("metadata", [{}, {"hostname": "a"}, {"client_version": "17.0.0"}, None])
def test_incomplete_record_gives_no_version(metadata: Any) -> None:
    assert "a" not in newest_versions([{"backup_metadata": metadata}])


@pytest.mark.parametrize("version", ["16.0.0", "17.0.0", "18.0.0", "18.9.9.dev1"])
def test_old_agent_is_refused_for_all_but_directories(version: str) -> None:
    agents = AgentVersions(freezer_with_records(record_document("a", version, 1)), None)
    agents.require_support("a", [DIRECTORY])
    with pytest.raises(InvalidInput, match=f"freezer-agent {version} .* 19.0.0 or later") as caught:
        agents.require_support("a", [VOLUME])
    assert "'a'" in str(caught.value)
    assert "OS::Cinder::Volume" in str(caught.value)


@pytest.mark.parametrize("version", ["19.0.0", "19.1.0", "20.0.0", ""])
def test_new_or_unknown_agent_is_used(version: str) -> None:
    AgentVersions(freezer_with_records(record_document("a", version, 1)), None).require_support(
        "a", [VOLUME]
    )


def test_configured_version_overrides_the_records() -> None:
    freezer = freezer_with_records(record_document("a", "17.0.0", 1))
    AgentVersions(freezer, "19.0.0").require_support("a", [VOLUME])
    assert freezer.requests == []
    with pytest.raises(InvalidInput, match=r"freezer-agent 18\.0\.0"):
        AgentVersions(FakeFreezer(), "18.0.0").require_support("a", [VOLUME])


def test_records_are_read_again_only_after_invalidate() -> None:
    freezer = freezer_with_records(record_document("a", "17.0.0", 1))
    agents = AgentVersions(freezer, None)
    assert [agents.get_version("a"), agents.get_version("b"), agents.get_version("a")] == [
        "17.0.0",
        "",
        "17.0.0",
    ]
    assert freezer.requests == ["GET backups"]
    freezer.add_record(record_document("a", "19.0.0", 2)["backup_metadata"])
    agents.invalidate()
    assert agents.get_version("a") == "19.0.0"
    assert not describe_agent_limit(agents.get_version("a"))
