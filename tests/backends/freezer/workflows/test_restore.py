"""Restores, deletes and verifies of servers, volumes and projects."""

import attrs
import pytest

from karbor_backup_core import Operation, Outcome, Resource, Result, State, Verb
from karbor_backup_freezer.model.receipt import Receipt
from tests.backends.freezer.workflows.harness import SHOP, WorkflowHarness, repeat_call
from tests.backends.freezer.workflows.test_protect import (
    count_refused_creates,
    failure_reason,
    get_backup,
    has_no_leftovers,
)


def outcome(operation: Operation) -> Outcome:
    assert operation.state is State.RELEASED
    assert operation.outcome is not None
    assert operation.outcome.result is Result.SUCCEEDED, operation.outcome.reason
    assert operation.outcome.leftovers == ()
    return operation.outcome


@pytest.mark.parametrize("mode", ["cinder", "cindernative"])
def test_volume_is_restored_as_a_new_one(harness: WorkflowHarness, mode: str) -> None:
    volume = harness.create_volume("data", b"as it was")
    backup = get_backup(harness.run_operation(Verb.PROTECT, volume, {"mode": mode}))
    harness.cloud.state.volumes.get(volume.id).content = b"as it is"
    (new,) = outcome(harness.run_operation(Verb.RESTORE, backup)).resources
    assert (new.name, harness.read_content(new)) == ("new", b"as it was")
    assert new.id != volume.id
    assert harness.read_content(volume) == b"as it is"
    assert has_no_leftovers(harness)


def test_a_native_backup_can_be_restored_over_its_volume(harness: WorkflowHarness) -> None:
    volume = harness.create_volume("data", b"as it was")
    backup = get_backup(harness.run_operation(Verb.PROTECT, volume, {"mode": "cindernative"}))
    harness.cloud.state.volumes.get(volume.id).content = b"as it is"
    (same,) = outcome(
        harness.run_operation(Verb.RESTORE, backup, {"overwrite_volume": True})
    ).resources
    assert (same.id, harness.read_content(same)) == (volume.id, b"as it was")


def test_restore_name_too_long_for_any_resource_is_refused_before_a_job(
    harness: WorkflowHarness,
) -> None:
    backup = get_backup(harness.run_operation(Verb.PROTECT, harness.create_volume("data")))
    refused = harness.run_operation(Verb.RESTORE, backup, {"restore_name": "n" * 256})
    assert refused.outcome is not None
    assert refused.outcome.refused
    assert refused.outcome.reason.startswith("restore_name: 256 characters")
    assert has_no_leftovers(harness)


@pytest.mark.parametrize("verb", [Verb.PROTECT, Verb.RESTORE])
def test_operation_with_a_name_that_is_too_long_is_released(
    harness: WorkflowHarness, verb: Verb
) -> None:
    """The reply of the first attempt was lost, so that something may have been begun."""
    volume = harness.create_volume("data")
    backup = get_backup(harness.run_operation(Verb.PROTECT, volume))
    long = {Verb.PROTECT: {"backup_name": "n" * 300}, Verb.RESTORE: {"restore_name": "n" * 300}}
    target = volume if verb is Verb.PROTECT else backup

    def again(operation: Operation) -> Operation:
        lost = operation.state is State.SUBMITTING and operation.attempt == 1
        return attrs.evolve(operation, attempt=2) if lost else operation

    ended = harness.run_operation(verb, target, long[verb], between=again)
    assert ended.state is State.RELEASED
    assert ended.outcome is not None
    assert (ended.outcome.result, ended.outcome.refused) == (Result.FAILED, False)
    assert "255" in ended.outcome.reason
    assert ended.outcome.leftovers == ()
    assert has_no_leftovers(harness)


def test_project_is_restored_member_by_member(harness: WorkflowHarness) -> None:
    web, data = harness.create_server("web", b"system"), harness.create_volume("data", b"rows")
    backup = get_backup(harness.run_operation(Verb.PROTECT, SHOP))
    restored = outcome(harness.run_operation(Verb.RESTORE, backup))
    assert restored.resources[0].id == SHOP.id
    became = {part.resource.id: part.restored for part in restored.parts}
    assert became.keys() == {web.id, data.id}
    for old, new in became.items():
        assert new is not None
        assert new.id != old
        assert harness.read_content(new) == (b"system" if old == web.id else b"rows")


def test_a_member_is_restored_alone(harness: WorkflowHarness) -> None:
    harness.create_server("web")
    data = harness.create_volume("data", b"rows")
    backup = get_backup(harness.run_operation(Verb.PROTECT, SHOP))
    before = len(harness.cloud.state.inventory)
    (member,) = [m for m in backup.members if m.resource.id == data.id]
    (new,) = outcome(harness.run_operation(Verb.RESTORE, member)).resources
    assert (new.name, harness.read_content(new)) == ("new", b"rows")
    assert len(harness.cloud.state.inventory) == before + 1


def test_every_call_of_a_restore_may_be_repeated(harness: WorkflowHarness) -> None:
    harness.create_server("web")
    harness.create_volume("data", b"rows")
    backup = get_backup(harness.run_operation(Verb.PROTECT, SHOP))
    before = harness.cloud.list_resources()
    restored = outcome(
        harness.run_operation(Verb.RESTORE, backup, between=lambda each: repeat_call(harness, each))
    )
    assert len(harness.cloud.list_resources() - before) == 2
    assert len(restored.parts) == 2
    assert count_refused_creates(harness) == 0


@pytest.mark.parametrize("after", ["preflight", "prepare", "job", "rebuild"])
@pytest.mark.parametrize("mode", ["cinder", "cindernative"])
def test_a_cancelled_restore_leaves_nothing(
    harness: WorkflowHarness, mode: str, after: str
) -> None:
    backup = get_backup(
        harness.run_operation(Verb.PROTECT, harness.create_volume("data"), {"mode": mode})
    )
    before = harness.cloud.list_resources()

    def cancelled(operation: Operation) -> Operation:
        reached = Receipt.from_operation(operation).step == after and operation.outcome is None
        return attrs.evolve(operation, cancel_requested=True) if reached else operation

    operation = harness.run_operation(Verb.RESTORE, backup, between=cancelled)
    assert operation.state is State.RELEASED
    if operation.cancel_requested:
        assert operation.outcome is not None
        assert operation.outcome.result is Result.CANCELLED
        assert harness.cloud.list_resources() == before
    assert has_no_leftovers(harness)


def test_a_restore_that_fails_leaves_nothing(harness: WorkflowHarness) -> None:
    volume = harness.create_volume("data")
    backup = get_backup(harness.run_operation(Verb.PROTECT, volume))
    before = harness.cloud.list_resources()
    harness.scheduler.breaks[volume.id] = "restore"
    assert "Freezer's job ended with result 'fail'" in failure_reason(
        harness.run_operation(Verb.RESTORE, backup)
    )
    assert harness.cloud.list_resources() == before
    assert has_no_leftovers(harness)


@pytest.mark.parametrize("mode", ["cinder", "cindernative"])
def test_a_delete_removes_its_backup_and_no_other(harness: WorkflowHarness, mode: str) -> None:
    volume = harness.create_volume("data", b"first")
    first = get_backup(harness.run_operation(Verb.PROTECT, volume, {"mode": mode}))
    harness.cloud.state.volumes.get(volume.id).content = b"second"
    second = get_backup(harness.run_operation(Verb.PROTECT, volume, {"mode": mode}))
    for _ in range(2):
        outcome(
            harness.run_operation(
                Verb.DELETE, first, between=lambda each: repeat_call(harness, each)
            )
        )
    assert harness.run_operation(Verb.VERIFY, first).outcome.result is Result.FAILED  # type: ignore[union-attr]
    (new,) = outcome(harness.run_operation(Verb.RESTORE, second)).resources
    assert harness.read_content(new) == b"second"
    outcome(harness.run_operation(Verb.DELETE, second))
    assert harness.freezer.backups == {}


def test_verify_reports_each_part_of_a_project(harness: WorkflowHarness) -> None:
    members = {harness.create_server("web").id, harness.create_volume("data").id}
    verified = outcome(
        harness.run_operation(Verb.VERIFY, get_backup(harness.run_operation(Verb.PROTECT, SHOP)))
    )
    assert {part.resource.id for part in verified.parts} == members
    assert {check.verified for check in verified.checks if "stored data" in check.name} == {True}


def test_verify_of_a_backup_without_its_data_fails(harness: WorkflowHarness) -> None:
    volume = harness.create_volume("data")
    backup = get_backup(harness.run_operation(Verb.PROTECT, volume))
    (data,) = [p for p in harness.folder.rglob(volume.id) if p.is_file()]
    data.write_bytes(b"")
    assert "nothing is stored of it" in failure_reason(harness.run_operation(Verb.VERIFY, backup))


def test_restore_without_its_flavor_is_refused(harness: WorkflowHarness) -> None:
    backup = get_backup(harness.run_operation(Verb.PROTECT, harness.create_server("web")))
    harness.cloud.state.flavors.remove(harness.cloud.flavor)
    before = len(harness.freezer.used_job_ids)
    operation = harness.run_operation(Verb.RESTORE, backup)
    assert "flavor" in failure_reason(operation)
    assert operation.outcome is not None
    assert operation.outcome.refused
    assert len(harness.freezer.used_job_ids) == before


def test_id_of_another_type_is_refused_with_its_type(harness: WorkflowHarness) -> None:
    server = harness.create_server("web")
    operation = harness.run_operation(Verb.PROTECT, Resource("OS::Cinder::Volume", server.id))
    assert "That is the id of OS::Nova::Server" in failure_reason(operation)


@pytest.mark.parametrize("bad", [["one"], ["two"], ["three"], ["one", "three"], ["one", "two"]])
def test_failed_member_does_not_stop_the_restore_of_the_others(
    harness: WorkflowHarness, bad: list[str]
) -> None:
    volumes = {name: harness.create_volume(name, name.encode()) for name in ("one", "two", "three")}
    backup = get_backup(harness.run_operation(Verb.PROTECT, SHOP))
    before = harness.cloud.list_resources()
    harness.scheduler.breaks |= dict.fromkeys([volumes[name].id for name in bad], "restore")
    operation = harness.run_operation(
        Verb.RESTORE, backup, between=lambda each: repeat_call(harness, each)
    )
    assert f"restored {3 - len(bad)} of 3" in failure_reason(operation)
    assert operation.outcome is not None
    failures = {p.resource.name for p in operation.outcome.parts if p.result is Result.FAILED}
    assert failures == set(bad)
    kept = {p.restored for p in operation.outcome.parts if p.result is Result.SUCCEEDED}
    assert {harness.read_content(new) for new in kept if new} == {
        name.encode() for name in volumes if name not in bad
    }
    assert harness.cloud.list_resources() - before == {f"volume/{new.id}" for new in kept if new}
    assert len(harness.scheduler.restored) == len(set(harness.scheduler.restored)) == 3 - len(bad)
    assert count_refused_creates(harness) == 0
    assert has_no_leftovers(harness)


def test_delete_in_tenant_mode_names_its_leftovers(harness: WorkflowHarness) -> None:
    harness.create_server("web")
    backup = get_backup(harness.run_operation(Verb.PROTECT, SHOP, {"mode": "tenant"}))
    (restored,) = [
        r for r in outcome(harness.run_operation(Verb.RESTORE, backup)).resources if r != SHOP
    ][1:]
    assert harness.read_content(restored) == b"system"
    deleted = harness.run_operation(Verb.DELETE, backup)
    assert deleted.outcome is not None
    assert [left.id for left in deleted.outcome.leftovers] == [
        f"{backup.handle['container']}/project_{SHOP.id}"
    ]
