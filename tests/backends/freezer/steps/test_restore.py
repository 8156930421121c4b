"""Restores, deletes and verifies of servers, volumes and projects."""

import attrs
import pytest

from karbor_backup_core import Operation, Outcome, Resource, Result, State, Verb
from karbor_backup_freezer.receipts import Receipt, Step
from tests.backends.freezer.steps.stage import SHOP, Stage, twice
from tests.backends.freezer.steps.test_protect import backup_of, failed, nothing_left


def outcome(operation: Operation) -> Outcome:
    assert operation.state is State.RELEASED
    assert operation.outcome is not None
    assert operation.outcome.result is Result.SUCCEEDED, operation.outcome.reason
    assert operation.outcome.leftovers == ()
    return operation.outcome


@pytest.mark.parametrize("mode", ["cinder", "cindernative"])
def test_a_volume_comes_back_as_a_new_one(stage: Stage, mode: str) -> None:
    volume = stage.volume("data", b"as it was")
    backup = backup_of(stage.done(Verb.PROTECT, volume, {"mode": mode}))
    stage.cloud.world.volumes.get(volume.id).content = b"as it is"
    (new,) = outcome(stage.done(Verb.RESTORE, backup)).resources
    assert (new.name, stage.content(new)) == ("new", b"as it was")
    assert new.id != volume.id
    assert stage.content(volume) == b"as it is"
    assert nothing_left(stage)


def test_a_native_backup_can_be_restored_over_its_volume(stage: Stage) -> None:
    volume = stage.volume("data", b"as it was")
    backup = backup_of(stage.done(Verb.PROTECT, volume, {"mode": "cindernative"}))
    stage.cloud.world.volumes.get(volume.id).content = b"as it is"
    (same,) = outcome(stage.done(Verb.RESTORE, backup, {"overwrite_volume": True})).resources
    assert (same.id, stage.content(same)) == (volume.id, b"as it was")


def test_restore_name_that_nothing_could_have_is_refused_before_a_job(stage: Stage) -> None:
    backup = backup_of(stage.done(Verb.PROTECT, stage.volume("data")))
    refused = stage.done(Verb.RESTORE, backup, {"restore_name": "n" * 256})
    assert refused.outcome is not None
    assert refused.outcome.refused
    assert refused.outcome.reason.startswith("restore_name: 256 characters")
    assert nothing_left(stage)


@pytest.mark.parametrize("verb", [Verb.PROTECT, Verb.RESTORE])
def test_operation_with_a_name_that_is_too_long_is_released(stage: Stage, verb: Verb) -> None:
    """The reply of the first attempt was lost, so that something may have been begun."""
    volume = stage.volume("data")
    backup = backup_of(stage.done(Verb.PROTECT, volume))
    long = {Verb.PROTECT: {"backup_name": "n" * 300}, Verb.RESTORE: {"restore_name": "n" * 300}}
    target = volume if verb is Verb.PROTECT else backup

    def again(operation: Operation) -> Operation:
        lost = operation.state is State.SUBMITTING and operation.attempt == 1
        return attrs.evolve(operation, attempt=2) if lost else operation

    ended = stage.done(verb, target, long[verb], between=again)
    assert ended.state is State.RELEASED
    assert ended.outcome is not None
    assert (ended.outcome.result, ended.outcome.refused) == (Result.FAILED, False)
    assert "255" in ended.outcome.reason
    assert ended.outcome.leftovers == ()
    assert nothing_left(stage)


def test_a_project_comes_back_member_by_member(stage: Stage) -> None:
    web, data = stage.server("web", b"system"), stage.volume("data", b"rows")
    backup = backup_of(stage.done(Verb.PROTECT, SHOP))
    restored = outcome(stage.done(Verb.RESTORE, backup))
    assert restored.resources[0].id == SHOP.id
    became = {part.resource.id: part.restored for part in restored.parts}
    assert became.keys() == {web.id, data.id}
    for old, new in became.items():
        assert new is not None
        assert new.id != old
        assert stage.content(new) == (b"system" if old == web.id else b"rows")


def test_a_member_is_restored_alone(stage: Stage) -> None:
    stage.server("web")
    data = stage.volume("data", b"rows")
    backup = backup_of(stage.done(Verb.PROTECT, SHOP))
    before = len(stage.cloud.world.inventory)
    (member,) = [m for m in backup.members if m.resource.id == data.id]
    (new,) = outcome(stage.done(Verb.RESTORE, member)).resources
    assert (new.name, stage.content(new)) == ("new", b"rows")
    assert len(stage.cloud.world.inventory) == before + 1


def test_every_call_of_a_restore_may_come_twice(stage: Stage) -> None:
    stage.server("web")
    stage.volume("data", b"rows")
    backup = backup_of(stage.done(Verb.PROTECT, SHOP))
    before = stage.cloud.made()
    restored = outcome(stage.done(Verb.RESTORE, backup, between=lambda each: twice(stage, each)))
    assert len(stage.cloud.made() - before) == 2
    assert len(restored.parts) == 2
    assert stage.freezer.refused == 0


@pytest.mark.parametrize("after", [Step.PREFLIGHT, Step.PREPARE, Step.JOB, Step.REBUILD])
@pytest.mark.parametrize("mode", ["cinder", "cindernative"])
def test_a_cancelled_restore_leaves_nothing(stage: Stage, mode: str, after: Step) -> None:
    backup = backup_of(stage.done(Verb.PROTECT, stage.volume("data"), {"mode": mode}))
    before = stage.cloud.made()

    def cancelled(operation: Operation) -> Operation:
        reached = Receipt.of(operation).step is after and operation.outcome is None
        return attrs.evolve(operation, cancel_requested=True) if reached else operation

    operation = stage.done(Verb.RESTORE, backup, between=cancelled)
    assert operation.state is State.RELEASED
    if operation.cancel_requested:
        assert operation.outcome is not None
        assert operation.outcome.result is Result.CANCELLED
        assert stage.cloud.made() == before
    assert nothing_left(stage)


def test_a_restore_that_fails_leaves_nothing(stage: Stage) -> None:
    volume = stage.volume("data")
    backup = backup_of(stage.done(Verb.PROTECT, volume))
    before = stage.cloud.made()
    stage.freezer.breaks[volume.id] = "restore"
    assert "Freezer's job ended with result 'fail'" in failed(stage.done(Verb.RESTORE, backup))
    assert stage.cloud.made() == before
    assert nothing_left(stage)


@pytest.mark.parametrize("mode", ["cinder", "cindernative"])
def test_a_delete_removes_its_backup_and_no_other(stage: Stage, mode: str) -> None:
    volume = stage.volume("data", b"first")
    first = backup_of(stage.done(Verb.PROTECT, volume, {"mode": mode}))
    stage.cloud.world.volumes.get(volume.id).content = b"second"
    second = backup_of(stage.done(Verb.PROTECT, volume, {"mode": mode}))
    for _ in range(2):
        outcome(stage.done(Verb.DELETE, first, between=lambda each: twice(stage, each)))
    assert stage.done(Verb.VERIFY, first).outcome.result is Result.FAILED  # type: ignore[union-attr]
    (new,) = outcome(stage.done(Verb.RESTORE, second)).resources
    assert stage.content(new) == b"second"
    outcome(stage.done(Verb.DELETE, second))
    assert stage.freezer.records == {}


def test_a_verify_tells_each_part_of_a_project(stage: Stage) -> None:
    members = {stage.server("web").id, stage.volume("data").id}
    verified = outcome(stage.done(Verb.VERIFY, backup_of(stage.done(Verb.PROTECT, SHOP))))
    assert {part.resource.id for part in verified.parts} == members
    assert {check.verified for check in verified.checks if "stored data" in check.name} == {True}


def test_a_backup_that_has_lost_its_data_does_not_verify(stage: Stage) -> None:
    volume = stage.volume("data")
    backup = backup_of(stage.done(Verb.PROTECT, volume))
    (data,) = [p for p in stage.folder.rglob(volume.id) if p.is_file()]
    data.write_bytes(b"")
    assert "nothing is stored of it" in failed(stage.done(Verb.VERIFY, backup))


def test_a_restore_that_the_cloud_has_no_part_for_is_refused(stage: Stage) -> None:
    backup = backup_of(stage.done(Verb.PROTECT, stage.server("web")))
    stage.cloud.world.flavors.remove(stage.cloud.flavor)
    before = len(stage.freezer.created)
    operation = stage.done(Verb.RESTORE, backup)
    assert "flavor" in failed(operation)
    assert operation.outcome is not None
    assert operation.outcome.refused
    assert len(stage.freezer.created) == before


def test_a_type_is_told_from_another(stage: Stage) -> None:
    server = stage.server("web")
    operation = stage.done(Verb.PROTECT, Resource("OS::Cinder::Volume", server.id))
    assert "That is the id of OS::Nova::Server" in failed(operation)


@pytest.mark.parametrize("bad", [["one"], ["two"], ["three"], ["one", "three"], ["one", "two"]])
def test_a_member_that_fails_does_not_keep_the_others_from_coming_back(
    stage: Stage, bad: list[str]
) -> None:
    volumes = {name: stage.volume(name, name.encode()) for name in ("one", "two", "three")}
    backup = backup_of(stage.done(Verb.PROTECT, SHOP))
    before = stage.cloud.made()
    stage.freezer.breaks |= dict.fromkeys([volumes[name].id for name in bad], "restore")
    operation = stage.done(Verb.RESTORE, backup, between=lambda each: twice(stage, each))
    assert f"restored {3 - len(bad)} of 3" in failed(operation)
    assert operation.outcome is not None
    failures = {p.resource.name for p in operation.outcome.parts if p.result is Result.FAILED}
    assert failures == set(bad)
    kept = {p.restored for p in operation.outcome.parts if p.result is Result.SUCCEEDED}
    assert {stage.content(new) for new in kept if new} == {
        name.encode() for name in volumes if name not in bad
    }
    assert stage.cloud.made() - before == {f"volume/{new.id}" for new in kept if new}
    assert len(stage.freezer.restored) == len(set(stage.freezer.restored)) == 3 - len(bad)
    assert stage.freezer.refused == 0
    assert nothing_left(stage)


def test_what_freezers_own_mode_leaves_of_a_project_is_named(stage: Stage) -> None:
    stage.server("web")
    backup = backup_of(stage.done(Verb.PROTECT, SHOP, {"mode": "tenant"}))
    (restored,) = [r for r in outcome(stage.done(Verb.RESTORE, backup)).resources if r != SHOP][1:]
    assert stage.content(restored) == b"system"
    deleted = stage.done(Verb.DELETE, backup)
    assert deleted.outcome is not None
    assert [left.id for left in deleted.outcome.leftovers] == [
        f"{backup.handle['container']}/project_{SHOP.id}"
    ]
