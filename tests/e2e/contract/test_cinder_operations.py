"""What the contract does not ask of the Cinder backend: options, chains, and broken restores."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest

from karbor_backup_contract import Fault
from karbor_backup_contract._context import RuleContext
from karbor_backup_contract._scenarios import require_unchanged
from karbor_backup_core import (
    BackendError,
    Backup,
    HasDependents,
    Operation,
    ProgressState,
    Resource,
    Result,
    Verb,
)
from karbor_backup_openstack.resource_types import VOLUME
from tests.e2e.contract.cinder_harness import ScriptedVolumes, cinder_harness
from tests.e2e.contract.cinder_operations import OperationTest, refusal
from tests.e2e.contract.scripted_harness import ScriptedEnvironment, SharedTokenSessions
from tests.support.outcomes import get_outcome
from tests.support.scripted_cloud import WorkOutcome, block_storage, volume_backups


@attrs.frozen
class VolumeTest(OperationTest):
    """A volume in a scripted cloud."""

    @property
    def volume(self) -> Resource:
        return self.resource

    def shown(self, backup: Backup) -> Mapping[str, Any]:
        return self.state.backups.get(backup.handle["backup"]).shown

    def make_foreign_backup(self) -> str:
        with self.state.lock, self.state.without_delay():
            asked = {"volume_id": self.volume.id, "name": "somebody else's"}
            return volume_backups.new_backup(self.state, self.project, asked).id


@pytest.fixture
def test(
    environment: ScriptedEnvironment, sessions: SharedTokenSessions, tmp_path: Path
) -> Iterator[VolumeTest]:
    with cinder_harness(environment, sessions, tmp_path) as harness:
        assert isinstance(harness.resources, ScriptedVolumes)
        context = RuleContext(harness)
        volume = context.create_resource(VOLUME)
        yield VolumeTest(context, harness.resources.state, volume, harness.resources.project)


def test_delete_of_a_backup_with_dependents_is_refused_and_names_them(test: VolumeTest) -> None:
    full = test.protect()
    first, second = test.protect(incremental="auto"), test.protect(incremental="always")
    before = test.context.inventory()
    with pytest.raises(HasDependents) as refused:
        test.run(Verb.DELETE, full)
    assert refused.value.dependents == (second.id, first.id)
    require_unchanged(test.context, before, "a refused delete")
    for backup in (second, first, full):
        test.context.run_successfully(Verb.DELETE, backup)
    assert not list(test.state.backups)


def test_incremental_backup_is_restored_and_says_that_its_parent_is_not_told(
    test: VolumeTest,
) -> None:
    full = test.protect()
    test.context.overwrite(test.volume)
    content = test.context.contents[test.volume.id]
    backup = test.protect(incremental="always")
    assert test.shown(backup)["is_incremental"]
    (check,) = [check for check in backup.checks if not check.verified]
    assert full.handle["backup"] in check.reason
    restored = test.context.run_successfully(Verb.RESTORE, backup)
    assert test.context.read_content(test.context.restored_resource(restored)) == content


def test_auto_makes_a_full_backup_where_the_latest_one_is_foreign(test: VolumeTest) -> None:
    test.protect()
    foreign = test.make_foreign_backup()
    assert not test.shown(test.protect(incremental="auto"))["is_incremental"]
    foreign = test.make_foreign_backup()
    assert test.shown(test.protect(incremental="always"))["parent"] == foreign


def test_incremental_backup_without_a_full_one_is_refused(test: VolumeTest) -> None:
    reason = refusal(test.run(Verb.PROTECT, test.volume, incremental="always"))
    assert "no available backup of the volume" in reason
    assert not test.shown(test.protect(incremental="auto"))["is_incremental"]


def test_volume_in_use_needs_force_or_a_snapshot(test: VolumeTest) -> None:
    content = test.context.contents[test.volume.id]
    with test.state.lock, test.state.without_delay():
        asked = {"volume_id": test.volume.id}
        snapshot = block_storage.new_snapshot(test.state, test.project, asked)
        test.state.run_due()
    test.state.volumes.get(test.volume.id).shown["status"] = "in-use"
    assert "'force'" in refusal(test.run(Verb.PROTECT, test.volume))
    test.context.overwrite(test.volume)
    for options, expected in (
        ({"force": True}, test.context.contents[test.volume.id]),
        ({"snapshot_id": snapshot.id}, content),
    ):
        restored = test.context.run_successfully(Verb.RESTORE, test.protect(**options))
        assert test.context.read_content(test.context.restored_resource(restored)) == expected


def test_snapshot_of_another_volume_is_refused(test: VolumeTest) -> None:
    other = test.context.create_resource(VOLUME)
    with test.state.lock, test.state.without_delay():
        asked = {"volume_id": other.id}
        snapshot = block_storage.new_snapshot(test.state, test.project, asked)
    assert other.id in refusal(test.run(Verb.PROTECT, test.volume, snapshot_id=snapshot.id))


def test_restored_volume_has_the_properties_of_its_source(test: VolumeTest) -> None:
    source = test.state.volumes.get(test.volume.id).shown
    source.update(bootable="true", description="of the accounts", volume_type="fast")
    backup = test.protect(backup_name=" nightly ", description="before the upgrade")
    assert test.shown(backup)["name"] == f"nightly_{backup.id}"
    assert test.shown(backup)["description"] == "before the upgrade"
    restored = test.context.restored_resource(test.run(Verb.RESTORE, backup, restore_name="copy"))
    shown = test.state.volumes.get(restored.id).shown
    assert restored.name == shown["name"] == "copy"
    for key in ("bootable", "description", "volume_type", "size", "availability_zone"):
        assert shown[key] == source[key]
    assert shown["metadata"].items() >= source["metadata"].items()


def test_interrupted_restore_fails_by_the_state_of_the_volume(test: VolumeTest) -> None:
    backup = test.protect()
    before = test.context.inventory()
    test.state.planned_work += [WorkOutcome(), WorkOutcome(fails=True)]
    outcome = get_outcome(test.run(Verb.RESTORE, backup))
    assert outcome.result is Result.FAILED
    assert "error_restoring" in outcome.reason
    assert test.shown(backup)["status"] == "available"
    require_unchanged(test.context, before, "a restore that was interrupted")


def test_overwritten_volume_has_the_data_of_the_backup(test: VolumeTest) -> None:
    content = test.context.contents[test.volume.id]
    backup = test.protect()
    test.context.overwrite(test.volume)
    other = test.context.create_resource(VOLUME)
    before = test.context.inventory()
    for volume, options in ((test.volume, {}), (other, {"volume_id": other.id})):
        operation = test.run(Verb.RESTORE, backup, overwrite_volume=True, **options)
        assert test.context.restored_resource(operation).id == volume.id
        assert test.context.read_content(volume) == content
    require_unchanged(test.context, before, "restores over volumes")


def test_late_call_of_a_restore_over_a_volume_changes_nothing(test: VolumeTest) -> None:
    backup = test.protect()
    late: list[Operation] = []

    def note(operation: Operation) -> Operation:
        late.append(operation)
        return operation

    planned = test.context.plan(Verb.RESTORE, backup, {"overwrite_volume": True})
    assert test.context.finish(planned, note).succeeded
    test.context.overwrite(test.volume)
    for operation in late:
        if operation.attempt:
            test.context.process.backend.call_verb(operation)
    test.context.wait()
    content = test.context.contents[test.volume.id]
    assert test.context.read_content(test.volume) == content


def test_failed_restore_over_a_volume_names_it(test: VolumeTest) -> None:
    backup = test.protect()
    test.state.planned_work.append(WorkOutcome(fails=True))
    outcome = get_outcome(test.run(Verb.RESTORE, backup, overwrite_volume=True))
    assert outcome.result is Result.FAILED
    (left,) = outcome.leftovers
    assert left.id == test.volume.id
    assert "error_restoring" in left.note


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"status": "in-use"}, "is in state in-use"),
        ({"size": 0}, "has 0 GiB"),
    ],
)
def test_restore_over_an_unfit_volume_is_refused(
    test: VolumeTest, change: Mapping[str, Any], expected: str
) -> None:
    backup = test.protect()
    test.state.volumes.get(test.volume.id).shown.update(change)
    assert expected in refusal(test.run(Verb.RESTORE, backup, overwrite_volume=True))


def test_volume_to_overwrite_is_refused_without_the_option_to_overwrite(test: VolumeTest) -> None:
    backup = test.protect()
    reason = refusal(test.run(Verb.RESTORE, backup, volume_id=test.volume.id))
    assert "overwrite_volume" in reason


def test_restore_without_the_volume_type_is_refused(test: VolumeTest) -> None:
    backup = test.protect()
    assert "no volume type 'gone'" in refusal(test.run(Verb.RESTORE, backup, volume_type="gone"))
    restored = test.run(Verb.RESTORE, backup, volume_type="fast")
    made = test.state.volumes.get(test.context.restored_resource(restored).id)
    assert made.shown["volume_type"] == "fast"


def test_release_waits_for_a_backup_that_cinder_still_makes(test: VolumeTest) -> None:
    test.state.planned_work.append(WorkOutcome(seconds=5))
    operation = test.context.start_running(Verb.PROTECT, test.volume)
    told: set[str] = set()

    def note(operation: Operation) -> Operation:
        told.add(operation.retry.last_error)
        return operation

    outcome = get_outcome(test.context.finish(test.context.cancel(operation), note))
    assert any("Cinder cannot stop it" in words for words in told)
    assert outcome.result is Result.CANCELLED
    assert not list(test.state.backups)


def test_damaged_receipt_removes_no_other_backup(test: VolumeTest) -> None:
    backup = test.protect()
    running = test.context.start_running(Verb.PROTECT, test.volume)
    receipt = {**(running.receipt or {}), "backup": backup.handle["backup"]}
    forged = attrs.evolve(running, receipt=receipt, outcome=None)
    progress = test.context.process.backend.poll([forged])[forged.id]
    assert progress.state is not ProgressState.SUCCEEDED
    with pytest.raises(BackendError, match="not the operation's"):
        test.context.process.backend.call_verb(forged)
    test.context.finish(test.context.cancel(running))
    assert backup.handle["backup"] in test.state.backups


def test_receipt_and_handle_of_another_format_are_refused(test: VolumeTest) -> None:
    backup = test.protect()
    newer = attrs.evolve(backup, handle={**backup.handle, "format": 2})
    outcome = get_outcome(test.run(Verb.DELETE, newer))
    assert "format 2" in outcome.reason
    running = attrs.evolve(
        test.context.start_running(Verb.PROTECT, test.volume), receipt={"format": 2}
    )
    progress = test.context.process.backend.poll([running])[running.id]
    assert "format 2" in progress.reason


def test_health_names_what_only_administrators_see(test: VolumeTest) -> None:
    health = test.context.process.backend.health()
    assert health.ok
    assert "cinder-backup" in health.summary
    test.context.harness.faults[Fault.REFUSE]()
    assert not test.context.process.backend.health().ok


def test_id_that_is_another_path_is_refused(test: VolumeTest) -> None:
    assert "give the id" in refusal(test.run(Verb.PROTECT, Resource(VOLUME, "../limits")))


def test_restore_that_goes_on_is_found_by_the_next_call(test: VolumeTest) -> None:
    repeated = test.repeat_lost_restore(test.protect())
    assert (repeated.state, (repeated.receipt or {})["step"]) == (
        ProgressState.RUNNING,
        "restoration",
    )
