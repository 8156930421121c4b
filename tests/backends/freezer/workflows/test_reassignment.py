"""Jobs that their scheduler does not take up: what is said of them, and who gets them next."""

import datetime as dt
import time
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from karbor_backup_core import Operation, Result, Verb
from karbor_backup_freezer.api.jobs import STOP_GRACE
from karbor_backup_freezer.api.schedulers import PICKUP_TIMEOUT
from karbor_backup_freezer.model.ids import job_id
from karbor_backup_freezer.model.receipt import Receipt
from tests.backends.freezer.workflows.harness import (
    SCHEDULER,
    FakeFreezer,
    WorkflowHarness,
    repeat_call,
)


class UnresponsiveFreezer(FakeFreezer):
    """A Freezer with several schedulers, of which only some take jobs up."""

    def __init__(
        self, agent: Any, alive: str = "two", clients: tuple[str, ...] = ("one", "two")
    ) -> None:
        super().__init__(agent)
        self.alive = alive
        self.clients = clients
        self.runs = 0

    def iter_entries(self, collection: str) -> Any:
        if collection == "clients":
            named = [{**SCHEDULER, "client_id": c, "hostname": self.hostname} for c in self.clients]
            return iter([{"client": client} for client in named])
        return super().iter_entries(collection)

    def get_page(self, collection: str, *, limit: int) -> Any:
        assert collection == "jobs"
        return [*self.jobs.values()][:limit]

    def stop_job(self, job_id: str) -> None:
        self.jobs[job_id]["job_schedule"]["event"] = "stop"

    def move_job(self, job_id: str, client_id: str) -> None:
        self.jobs[job_id]["client_id"] = client_id
        self.jobs[job_id]["job_schedule"] = {"event": "start", "status": "", "result": ""}

    def _run_job(self, job: Any) -> str:
        self.runs += 1
        return super()._run_job(job)

    def run_jobs(self) -> None:
        deaf = {i: j for i, j in self.jobs.items() if j["client_id"] != self.alive}
        hidden, self.jobs = self.jobs, {i: j for i, j in self.jobs.items() if i not in deaf}
        try:
            super().run_jobs()
        finally:
            self.jobs = hidden


@pytest.fixture
def pass_time(harness: WorkflowHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the backend's clock go with the test's, a minute for each call."""

    def now() -> float:
        return harness.now.timestamp()

    harness.pace = dt.timedelta(seconds=60)
    monkeypatch.setattr(time, "time", now)


def use_unresponsive_freezer(harness: WorkflowHarness, **more: Any) -> UnresponsiveFreezer:
    harness.freezer = UnresponsiveFreezer(harness.freezer._agent, **more)
    return harness.freezer


def run_with_unresponsive_scheduler(
    harness: WorkflowHarness, verb: Verb, target: Any, between: Any = None
) -> Operation:
    """Run an operation whose first scheduler is the one that takes nothing up."""
    freezer = harness.freezer
    assert isinstance(freezer, UnresponsiveFreezer)

    def silence(operation: Operation) -> Operation:
        job = freezer.jobs.get(job_id(operation.id))
        if job is not None and not freezer.alive:
            freezer.alive = "one" if job["client_id"] == "two" else "two"
        return between(operation) if between else operation

    freezer.alive = ""
    return harness.run_operation(verb, target, between=silence)


@pytest.mark.usefixtures("pass_time")
@pytest.mark.parametrize("between", [None, "twice"])
def test_job_is_moved_to_another_scheduler_and_runs_once(
    harness: WorkflowHarness, between: str | None
) -> None:
    freezer = use_unresponsive_freezer(harness)
    repeat: Callable[[Operation], Operation] | None = (
        (lambda operation: repeat_call(harness, operation)) if between else None
    )
    operation = run_with_unresponsive_scheduler(
        harness, Verb.PROTECT, harness.create_volume("data"), repeat
    )
    assert operation.outcome is not None
    assert operation.outcome.result is Result.SUCCEEDED, operation.outcome.reason
    assert freezer.runs == 1
    assert len(freezer.records) == 1
    assert (freezer.jobs, freezer.actions) == ({}, {})


@pytest.mark.usefixtures("pass_time")
def test_restore_and_delete_are_moved_as_well(harness: WorkflowHarness) -> None:
    freezer = use_unresponsive_freezer(harness)
    freezer.alive = "one"
    freezer.clients = ("one",)
    protected = harness.run_operation(Verb.PROTECT, harness.create_volume("data"))
    assert protected.outcome is not None
    backup = protected.outcome.backup
    assert backup is not None
    freezer.clients = ("one", "two")
    for verb in (Verb.RESTORE, Verb.DELETE):
        freezer.runs = 0
        operation = run_with_unresponsive_scheduler(harness, verb, backup)
        assert operation.outcome is not None
        assert operation.outcome.result is Result.SUCCEEDED, operation.outcome.reason
        assert freezer.runs == 1


@pytest.mark.usefixtures("pass_time")
def test_without_another_scheduler_the_reason_is_said_and_is_in_the_outcome(
    harness: WorkflowHarness,
) -> None:
    use_unresponsive_freezer(harness, alive="", clients=("one",))
    harness.pace = dt.timedelta(minutes=4)
    said: list[str] = []

    def note(operation: Operation) -> Operation:
        said.append(operation.last_error)
        return operation

    operation = harness.run_operation(Verb.PROTECT, harness.create_volume("data"), between=note)
    assert operation.outcome is not None
    assert operation.outcome.result is Result.FAILED
    waits = f"scheduler 'one' has not taken up job {job_id(operation.id)} since 2"
    assert any(each.startswith(waits) for each in said)
    assert waits in operation.outcome.reason
    assert operation.finished


@pytest.mark.usefixtures("pass_time")
def test_job_taken_up_while_it_is_withdrawn_stays_where_it_is(harness: WorkflowHarness) -> None:
    freezer = use_unresponsive_freezer(harness, clients=("one", "two"))

    def take_up(operation: Operation) -> Operation:
        job = freezer.jobs.get(job_id(operation.id))
        if job is not None and Receipt.from_operation(operation).settles_at and not freezer.runs:
            job["job_schedule"] = {
                "event": "",
                "status": "completed",
                "result": freezer._run_job(job),
            }
        return operation

    freezer.alive = ""
    operation = harness.run_operation(Verb.PROTECT, harness.create_volume("data"), between=take_up)
    assert operation.outcome is not None
    assert operation.outcome.result is Result.SUCCEEDED, operation.outcome.reason
    assert freezer.runs == 1


@pytest.mark.usefixtures("pass_time")
def test_cancel_while_the_job_is_withdrawn_leaves_nothing(harness: WorkflowHarness) -> None:
    freezer = use_unresponsive_freezer(harness, alive="")

    def cancel(operation: Operation) -> Operation:
        if operation.outcome is None and Receipt.from_operation(operation).settles_at:
            return attrs.evolve(operation, cancel_requested=True)
        return operation

    operation = harness.run_operation(Verb.PROTECT, harness.create_volume("data"), between=cancel)
    assert operation.outcome is not None
    assert operation.outcome.result is Result.CANCELLED
    assert (freezer.jobs, freezer.actions, freezer.runs) == ({}, {}, 0)


def test_a_withdrawn_job_is_moved_when_no_answer_can_cross_any_more() -> None:
    assert STOP_GRACE < PICKUP_TIMEOUT
