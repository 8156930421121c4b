"""Deletes of backups that Cinder keeps."""

from karbor_backup_core import Result, Verb
from tests.backends.freezer.workflows.harness import WorkflowHarness
from tests.support.outcomes import get_backup, get_outcome


def test_native_backup_that_cinder_cannot_remove_fails_the_delete_which_can_be_repeated(
    harness: WorkflowHarness,
) -> None:
    volume = harness.create_volume("data")
    backup = get_backup(harness.run_operation(Verb.PROTECT, volume, {"mode": "cindernative"}))
    (native,) = harness.cloud.state.backups
    harness.cloud.state.backup_deletes_fail = True
    failed = get_outcome(harness.run_operation(Verb.DELETE, backup))
    assert failed.result is Result.FAILED
    assert f"Cinder's backup {native.id} failed" in failed.reason

    harness.cloud.state.backup_deletes_fail = False
    assert get_outcome(harness.run_operation(Verb.DELETE, backup)).result is Result.SUCCEEDED
    assert list(harness.cloud.state.backups) == []
