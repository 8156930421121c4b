"""Protects of servers, volumes and projects, from the discovery to the release."""

from collections.abc import Mapping
from typing import Any

import attrs
import pytest
from pytest_mock import MockerFixture

from karbor_backup_core import (
    Backup,
    Operation,
    Progress,
    ProgressState,
    Resource,
    Result,
    State,
    Verb,
)
from karbor_backup_freezer.model.handle import Handle
from karbor_backup_freezer.model.items import Mode
from karbor_backup_freezer.model.receipt import Receipt
from karbor_backup_freezer.workflows import results
from karbor_backup_freezer.workflows.steps import backup_job, discovery
from tests.backends.freezer.workflows.harness import (
    HOST,
    SCHEDULER,
    SHOP,
    WorkflowHarness,
    repeat_call,
)
from tests.support.scripted_agent.agent import ScriptedAgent


def get_backup(operation: Operation) -> Backup:
    assert operation.outcome is not None
    assert operation.outcome.result is Result.SUCCEEDED, operation.outcome.reason
    assert operation.outcome.backup is not None
    return operation.outcome.backup


def failure_reason(operation: Operation) -> str:
    assert operation.state is State.RELEASED
    assert operation.outcome is not None
    assert operation.outcome.result is Result.FAILED
    return operation.outcome.reason


def has_no_leftovers(harness: WorkflowHarness) -> bool:
    """Whether neither Freezer nor the cloud holds anything but records and what was there."""
    temporary = [
        thing.name
        for collection in (harness.cloud.state.images, harness.cloud.state.volumes)
        for thing in collection
        if "_backup_" in thing.name
    ]
    return not (harness.freezer.jobs or harness.freezer.actions or temporary)


def count_refused_creates(harness: WorkflowHarness) -> int:
    """Return how often a job was created under an id that was in use."""
    creates = harness.freezer.requests.count("POST jobs")
    return creates - len(harness.freezer.used_job_ids)


def _delete_records(harness: WorkflowHarness) -> None:
    for record in harness.freezer.backups:
        harness.freezer.delete_entry("backups", record)


@pytest.mark.parametrize("mode", [Mode.CINDER, Mode.NATIVE])
def test_protect_of_a_volume_records_what_is_stored(harness: WorkflowHarness, mode: Mode) -> None:
    volume = harness.create_volume("data")
    operation = harness.run_operation(Verb.PROTECT, volume, {"mode": mode.value})
    backup = get_backup(operation)
    handle = Handle.from_backup(backup)
    (stored,) = handle.items
    assert (stored.item.mode, stored.item.size) == (mode, 2**30)
    assert bool(stored.native) is (mode is Mode.NATIVE)
    assert (backup.members, operation.outcome.parts if operation.outcome else ()) == ((), ())
    assert has_no_leftovers(harness)
    assert len(harness.freezer.backups) == 1


def test_project_backup_has_a_member_for_each_server_and_volume(harness: WorkflowHarness) -> None:
    web, data, other = (
        harness.create_server("web"),
        harness.create_volume("data"),
        harness.create_volume("other"),
    )
    backup = get_backup(harness.run_operation(Verb.PROTECT, SHOP))
    assert {m.resource.id: m.id for m in backup.members} == {
        each.id: f"{backup.id}/{each.id}" for each in (web, data, other)
    }
    alone = Handle.from_backup(backup.members[-1])
    assert len(alone.items) == 1
    assert len(harness.freezer.backups) == 3
    assert has_no_leftovers(harness)


def test_backup_has_the_host_that_the_agent_recorded(harness: WorkflowHarness) -> None:
    harness.freezer.register(SCHEDULER, None)
    backup = get_backup(harness.run_operation(Verb.PROTECT, harness.create_server("web")))
    assert Handle.from_backup(backup).hostname == HOST
    assert harness.run_operation(Verb.VERIFY, backup).outcome.result is Result.SUCCEEDED  # type: ignore[union-attr]


def test_empty_project_has_an_empty_backup(harness: WorkflowHarness) -> None:
    backup = get_backup(harness.run_operation(Verb.PROTECT, SHOP))
    assert Handle.from_backup(backup).items == ()
    assert harness.freezer.used_job_ids == set()
    for verb in (Verb.VERIFY, Verb.RESTORE, Verb.DELETE):
        operation = harness.run_operation(verb, backup)
        assert operation.outcome is not None
        assert operation.outcome.result is Result.SUCCEEDED, operation.outcome.reason
    assert harness.freezer.used_job_ids == set()


def test_failed_member_fails_the_project_and_is_named(harness: WorkflowHarness) -> None:
    first, bad, last = (harness.create_volume(name) for name in ("first", "bad", "last"))
    harness.scheduler.breaks[bad.id] = "backup"
    operation = harness.run_operation(Verb.PROTECT, SHOP)
    assert f"OS::Cinder::Volume {bad.id}" in failure_reason(operation)
    assert operation.outcome is not None
    parts = {part.resource.id: part for part in operation.outcome.parts}
    order = [id_ for id_ in parts if parts[id_].result is Result.SUCCEEDED]
    assert parts[bad.id].result is Result.FAILED
    assert f"host {HOST}" in parts[bad.id].reason
    skipped = {first.id, last.id} - set(order)
    assert all("not tried" in parts[id_].reason for id_ in skipped)
    assert has_no_leftovers(harness)
    assert harness.freezer.backups == {}


def test_a_single_volume_that_fails_leaves_nothing(harness: WorkflowHarness) -> None:
    volume = harness.create_volume("data")
    harness.scheduler.breaks[volume.id] = "backup"
    assert "Freezer's job ended with result 'fail'" in failure_reason(
        harness.run_operation(Verb.PROTECT, volume)
    )
    assert has_no_leftovers(harness)


def test_success_without_stored_data_is_a_failure(
    harness: WorkflowHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    volume = harness.create_volume("data")
    get_backup(harness.run_operation(Verb.PROTECT, harness.create_volume("other")))
    _delete_records(harness)

    def back_up(_agent: ScriptedAgent, action: Mapping[str, str]) -> dict[str, Any]:
        return {**action, "time_stamp": 1, "hostname": HOST}

    monkeypatch.setattr(ScriptedAgent, "back_up", back_up)
    reason = failure_reason(harness.run_operation(Verb.PROTECT, volume))
    assert "nothing is stored of it" in reason
    assert has_no_leftovers(harness)
    assert harness.freezer.backups == {}


def test_protect_with_every_call_repeated_creates_one_job(harness: WorkflowHarness) -> None:
    harness.create_server("web")
    harness.create_volume("data")
    operation = harness.run_operation(
        Verb.PROTECT, SHOP, between=lambda each: repeat_call(harness, each)
    )
    get_backup(operation)
    assert len(harness.freezer.used_job_ids) == 1
    assert count_refused_creates(harness) == 0
    assert len(harness.freezer.backups) == 2
    assert has_no_leftovers(harness)


@pytest.mark.parametrize("after", ["discover", "job", "native"])
def test_a_cancel_leaves_nothing(harness: WorkflowHarness, after: str) -> None:
    volume = harness.create_volume("data")
    before = set(harness.cloud.state.inventory)

    def cancelled(operation: Operation) -> Operation:
        reached = Receipt.from_operation(operation).step == after and operation.outcome is None
        return attrs.evolve(operation, cancel_requested=True) if reached else operation

    options = {"mode": "cindernative" if after == "native" else "cinder"}
    operation = harness.run_operation(Verb.PROTECT, volume, options, between=cancelled)
    assert operation.outcome is not None
    assert operation.outcome.result is Result.CANCELLED
    assert operation.outcome.leftovers == ()
    assert set(harness.cloud.state.inventory) == before
    assert has_no_leftovers(harness)
    assert harness.freezer.backups == {}


def test_unprotectable_resource_is_refused_before_a_job(harness: WorkflowHarness) -> None:
    nobody = Resource("OS::Cinder::Volume", "0b5e39c4-0000-0000-0000-000000000000")
    operation = harness.run_operation(Verb.PROTECT, nobody)
    assert "status 404" in failure_reason(operation)
    assert operation.outcome is not None
    assert operation.outcome.refused
    assert harness.freezer.used_job_ids == set()


def test_project_too_large_for_a_receipt_is_refused(
    harness: WorkflowHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "DISCOVERY_LIMIT", 500)
    harness.create_volume("data", metadata={"long": "x" * 250})
    harness.create_volume("more", metadata={"long": "x" * 250})
    assert "too large for one backup" in failure_reason(harness.run_operation(Verb.PROTECT, SHOP))
    assert harness.freezer.used_job_ids == set()


def test_poll_before_the_job_is_created_is_unknown(harness: WorkflowHarness) -> None:
    results: list[Progress] = []

    def poll_early(operation: Operation) -> Operation:
        if operation.state is State.SUBMITTING and not results:
            results.append(harness.poll(operation))
        return operation

    get_backup(
        harness.run_operation(Verb.PROTECT, harness.create_volume("data"), between=poll_early)
    )
    assert [progress.state for progress in results] == [ProgressState.UNKNOWN]


def _record_of_version(version: str) -> dict[str, Any]:
    """Return what an agent of that version on this host records, newer than all others."""
    return {"hostname": HOST, "client_version": version, "time_stamp": 2**40}


def test_old_agent_is_refused_before_a_job(harness: WorkflowHarness) -> None:
    harness.freezer.add_record(_record_of_version("17.0.0"))
    reason = failure_reason(harness.run_operation(Verb.PROTECT, harness.create_volume("data")))
    assert "freezer-agent 17.0.0" in reason
    assert "19.0.0 or later is needed" in reason
    assert harness.freezer.used_job_ids == set()


def test_restore_by_an_old_agent_is_refused_before_a_job(harness: WorkflowHarness) -> None:
    backup = get_backup(harness.run_operation(Verb.PROTECT, harness.create_volume("data")))
    created = harness.freezer.used_job_ids
    harness.freezer.add_record(_record_of_version("18.0.0"))
    reason = failure_reason(harness.run_operation(Verb.RESTORE, backup))
    assert "freezer-agent 18.0.0" in reason
    assert harness.freezer.used_job_ids == created


def test_protect_by_an_old_agent_fails_with_its_version(
    harness: WorkflowHarness, mocker: MockerFixture
) -> None:
    old = {"hostname": HOST, "client_version": "18.0.0", "time_stamp": 1}
    mocker.patch.object(
        backup_job,
        "list_job_records",
        return_value=[{"backup_id": "r", "backup_metadata": old}],
    )
    mocker.patch.object(results, "is_record_of", return_value=False)
    reason = failure_reason(harness.run_operation(Verb.PROTECT, harness.create_volume("data")))
    assert "freezer-agent 18.0.0 is used for directories only" in reason
