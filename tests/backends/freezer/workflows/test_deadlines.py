"""Agents that never end: the deadline fails the operation, and what is left is named."""

import datetime as dt

import pytest

from karbor_backup_core import Operation, Result, State, Verb
from karbor_backup_freezer.model.ids import job_id
from tests.backends.freezer.workflows.harness import WorkflowHarness
from tests.backends.freezer.workflows.test_protect import get_backup, has_no_leftovers


def leftover_kinds(operation: Operation) -> set[str]:
    """Return the kinds of what an operation has left that was suspended after its deadline."""
    assert operation.suspended
    assert operation.outcome is not None
    assert operation.outcome.result is Result.FAILED
    assert "deadline" in operation.outcome.reason
    assert job_id(operation.id) in {left.id for left in operation.outcome.leftovers}
    return {left.kind for left in operation.outcome.leftovers}


@pytest.fixture
def slow(harness: WorkflowHarness) -> WorkflowHarness:
    harness.pace = dt.timedelta(minutes=4)
    return harness


def test_expired_protect_names_the_agents_copies_and_removes_them_after_its_job(
    slow: WorkflowHarness,
) -> None:
    volume = slow.create_volume("data")
    before = set(slow.cloud.state.inventory)
    slow.scheduler.hangs = True
    operation = slow.run_operation(Verb.PROTECT, volume)
    assert leftover_kinds(operation) >= {"Freezer job", "volume", "volume snapshot"}
    assert set(slow.cloud.state.inventory) > before

    slow.scheduler.end_hanging_jobs()
    operation = slow.resume(operation)
    assert operation.state is State.RELEASED
    assert operation.outcome is not None
    assert set(slow.cloud.state.inventory) == before
    assert has_no_leftovers(slow)


def test_expired_restore_names_its_incomplete_volume_and_removes_it_after_its_job(
    slow: WorkflowHarness,
) -> None:
    backup = get_backup(slow.run_operation(Verb.PROTECT, slow.create_volume("data")))
    before = slow.cloud.list_resources()
    slow.scheduler.hangs = True
    operation = slow.run_operation(Verb.RESTORE, backup)
    assert leftover_kinds(operation) >= {"Freezer job", "volume"}

    slow.scheduler.end_hanging_jobs()
    operation = slow.resume(operation)
    assert operation.state is State.RELEASED
    assert slow.cloud.list_resources() == before
    assert has_no_leftovers(slow)
