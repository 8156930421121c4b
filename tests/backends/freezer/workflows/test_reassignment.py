"""Jobs that their scheduler does not take up: what is said of them, and who gets them next."""

import datetime as dt
import time
from collections.abc import Callable, Collection

import attrs
import pytest

from karbor_backup_core import Backup, Operation, Resource, Result, Verb
from karbor_backup_freezer.api.jobs import STOP_GRACE
from karbor_backup_freezer.api.schedulers import PICKUP_TIMEOUT
from karbor_backup_freezer.model.ids import job_id
from karbor_backup_freezer.model.receipt import Receipt
from tests.backends.freezer.workflows.harness import (
    HOST,
    WorkflowHarness,
    repeat_call,
)


@pytest.fixture
def pass_time(harness: WorkflowHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the backend's clock go with the test's, a minute for each call."""

    def now() -> float:
        return harness.now.timestamp()

    harness.pace = dt.timedelta(seconds=60)
    monkeypatch.setattr(time, "time", now)


def add_schedulers(
    harness: WorkflowHarness, *others: str, responsive: Collection[str] = ()
) -> None:
    """Register further schedulers; only the responsive ones take jobs up."""
    for client_id in others:
        harness.freezer.register(client_id, HOST)
    harness.scheduler.client_ids = set(responsive)


def run_with_unresponsive_scheduler(
    harness: WorkflowHarness,
    verb: Verb,
    target: Resource | Backup,
    between: Callable[[Operation], Operation] = lambda operation: operation,
) -> Operation:
    """Run an operation whose first scheduler, of two, is the one that takes nothing up."""
    scheduler = harness.scheduler

    def silence(operation: Operation) -> Operation:
        job = harness.freezer.jobs.get(job_id(operation.id))
        if job is not None and not scheduler.client_ids:
            scheduler.client_ids = {"one", "two"} - {job["client_id"]}
        return between(operation)

    scheduler.client_ids = set()
    return harness.run_operation(verb, target, between=silence)


@pytest.mark.usefixtures("pass_time")
@pytest.mark.parametrize("calls", [1, 2])
def test_job_is_moved_to_another_scheduler_and_runs_once(
    harness: WorkflowHarness, calls: int
) -> None:
    add_schedulers(harness, "two")

    def repeat(operation: Operation) -> Operation:
        return repeat_call(harness, operation) if calls == 2 else operation

    operation = run_with_unresponsive_scheduler(
        harness, Verb.PROTECT, harness.create_volume("data"), repeat
    )
    assert operation.outcome is not None
    assert operation.outcome.result is Result.SUCCEEDED, operation.outcome.reason
    freezer = harness.freezer
    assert len(harness.scheduler.runs) == 1
    assert len(freezer.backups) == 1
    assert (freezer.jobs, freezer.actions) == ({}, {})


@pytest.mark.usefixtures("pass_time")
def test_restore_and_delete_are_moved_as_well(harness: WorkflowHarness) -> None:
    protected = harness.run_operation(Verb.PROTECT, harness.create_volume("data"))
    assert protected.outcome is not None
    backup = protected.outcome.backup
    assert backup is not None
    add_schedulers(harness, "two")
    for verb in (Verb.RESTORE, Verb.DELETE):
        harness.scheduler.runs.clear()
        operation = run_with_unresponsive_scheduler(harness, verb, backup)
        assert operation.outcome is not None
        assert operation.outcome.result is Result.SUCCEEDED, operation.outcome.reason
        assert len(harness.scheduler.runs) == 1


@pytest.mark.usefixtures("pass_time")
def test_job_without_another_scheduler_fails_with_the_reason(
    harness: WorkflowHarness,
) -> None:
    add_schedulers(harness)
    harness.pace = dt.timedelta(minutes=4)
    errors: list[str] = []

    def note(operation: Operation) -> Operation:
        errors.append(operation.retry.last_error)
        return operation

    operation = harness.run_operation(Verb.PROTECT, harness.create_volume("data"), between=note)
    assert operation.outcome is not None
    assert operation.outcome.result is Result.FAILED
    waits = f"scheduler 'one' has not taken up job {job_id(operation.id)} since 2"
    assert any(each.startswith(waits) for each in errors)
    assert waits in operation.outcome.reason
    assert operation.finished


@pytest.mark.usefixtures("pass_time")
def test_job_claimed_during_withdrawal_is_not_moved(harness: WorkflowHarness) -> None:
    add_schedulers(harness, "two")
    scheduler = harness.scheduler

    def take_up(operation: Operation) -> Operation:
        job = harness.freezer.jobs.get(job_id(operation.id))
        if job and Receipt.from_operation(operation).settles_at and not scheduler.runs:
            scheduler.run_job(job)
        return operation

    operation = harness.run_operation(Verb.PROTECT, harness.create_volume("data"), between=take_up)
    assert operation.outcome is not None
    assert operation.outcome.result is Result.SUCCEEDED, operation.outcome.reason
    assert len(scheduler.runs) == 1


@pytest.mark.usefixtures("pass_time")
def test_cancel_during_withdrawal_leaves_nothing(harness: WorkflowHarness) -> None:
    add_schedulers(harness, "two")

    def cancel(operation: Operation) -> Operation:
        if operation.outcome is None and Receipt.from_operation(operation).settles_at:
            return attrs.evolve(operation, cancel_requested=True)
        return operation

    operation = harness.run_operation(Verb.PROTECT, harness.create_volume("data"), between=cancel)
    assert operation.outcome is not None
    assert operation.outcome.result is Result.CANCELLED
    freezer = harness.freezer
    assert (freezer.jobs, freezer.actions, harness.scheduler.runs) == ({}, {}, [])


def test_stop_grace_is_shorter_than_pickup_timeout() -> None:
    assert STOP_GRACE < PICKUP_TIMEOUT
