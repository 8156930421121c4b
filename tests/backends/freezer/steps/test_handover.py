"""Jobs that their scheduler does not take up: what is said of them, and who gets them next."""

import datetime as dt
import time
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from karbor_backup_core import Operation, Result, Verb
from karbor_backup_freezer.identifiers import job_id
from karbor_backup_freezer.jobs import SETTLE
from karbor_backup_freezer.receipts import Receipt
from karbor_backup_freezer.schedulers import PATIENCE
from tests.backends.freezer.steps.stage import SCHEDULER, Freezer, Stage, twice


class Deaf(Freezer):
    """A Freezer with several schedulers, of which only some take jobs up."""

    def __init__(
        self, agent: Any, alive: str = "two", clients: tuple[str, ...] = ("one", "two")
    ) -> None:
        super().__init__(agent)
        self.alive = alive
        self.clients = clients
        self.runs = 0

    def all(self, collection: str) -> Any:
        if collection == "clients":
            named = [{**SCHEDULER, "client_id": c, "hostname": self.hostname} for c in self.clients]
            return iter([{"client": client} for client in named])
        return super().all(collection)

    def page(self, collection: str, *, limit: int) -> Any:
        assert collection == "jobs"
        return [*self.jobs.values()][:limit]

    def stop_job(self, job_id: str) -> None:
        self.jobs[job_id]["job_schedule"]["event"] = "stop"

    def move_job(self, job_id: str, client_id: str) -> None:
        self.jobs[job_id]["client_id"] = client_id
        self.jobs[job_id]["job_schedule"] = {"event": "start", "status": "", "result": ""}

    def _run(self, job: Any) -> str:
        self.runs += 1
        return super()._run(job)

    def run(self) -> None:
        deaf = {i: j for i, j in self.jobs.items() if j["client_id"] != self.alive}
        hidden, self.jobs = self.jobs, {i: j for i, j in self.jobs.items() if i not in deaf}
        try:
            super().run()
        finally:
            self.jobs = hidden


@pytest.fixture
def pass_time(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the backend's clock go with the test's, a minute for each call."""

    def now() -> float:
        return stage.now.timestamp()

    stage.pace = dt.timedelta(seconds=60)
    monkeypatch.setattr(time, "time", now)


def deaf(stage: Stage, **more: Any) -> Deaf:
    stage.freezer = Deaf(stage.freezer._agent, **more)
    return stage.freezer


def first_choice(stage: Stage, verb: Verb, target: Any, between: Any = None) -> Operation:
    """Run an operation whose first scheduler is the one that takes nothing up."""
    freezer = stage.freezer
    assert isinstance(freezer, Deaf)

    def silence(operation: Operation) -> Operation:
        job = freezer.jobs.get(job_id(operation.id))
        if job is not None and not freezer.alive:
            freezer.alive = "one" if job["client_id"] == "two" else "two"
        return between(operation) if between else operation

    freezer.alive = ""
    return stage.done(verb, target, between=silence)


@pytest.mark.usefixtures("pass_time")
@pytest.mark.parametrize("between", [None, "twice"])
def test_job_is_moved_to_another_scheduler_and_runs_once(stage: Stage, between: str | None) -> None:
    freezer = deaf(stage)
    repeat: Callable[[Operation], Operation] | None = (
        (lambda operation: twice(stage, operation)) if between else None
    )
    operation = first_choice(stage, Verb.PROTECT, stage.volume("data"), repeat)
    assert operation.outcome is not None
    assert operation.outcome.result is Result.SUCCEEDED, operation.outcome.reason
    assert freezer.runs == 1
    assert len(freezer.records) == 1
    assert (freezer.jobs, freezer.actions) == ({}, {})


@pytest.mark.usefixtures("pass_time")
def test_restore_and_delete_are_moved_as_well(stage: Stage) -> None:
    freezer = deaf(stage)
    freezer.alive = "one"
    freezer.clients = ("one",)
    protected = stage.done(Verb.PROTECT, stage.volume("data"))
    assert protected.outcome is not None
    backup = protected.outcome.backup
    assert backup is not None
    freezer.clients = ("one", "two")
    for verb in (Verb.RESTORE, Verb.DELETE):
        freezer.runs = 0
        operation = first_choice(stage, verb, backup)
        assert operation.outcome is not None
        assert operation.outcome.result is Result.SUCCEEDED, operation.outcome.reason
        assert freezer.runs == 1


@pytest.mark.usefixtures("pass_time")
def test_without_another_scheduler_the_reason_is_said_and_is_in_the_outcome(stage: Stage) -> None:
    deaf(stage, alive="", clients=("one",))
    stage.pace = dt.timedelta(minutes=4)
    said: list[str] = []

    def note(operation: Operation) -> Operation:
        said.append(operation.last_error)
        return operation

    operation = stage.done(Verb.PROTECT, stage.volume("data"), between=note)
    assert operation.outcome is not None
    assert operation.outcome.result is Result.FAILED
    waits = f"scheduler 'one' has not taken up job {job_id(operation.id)} since 2"
    assert any(each.startswith(waits) for each in said)
    assert waits in operation.outcome.reason
    assert operation.finished


@pytest.mark.usefixtures("pass_time")
def test_job_taken_up_while_it_is_withdrawn_stays_where_it_is(stage: Stage) -> None:
    freezer = deaf(stage, clients=("one", "two"))

    def take_up(operation: Operation) -> Operation:
        job = freezer.jobs.get(job_id(operation.id))
        if job is not None and Receipt.of(operation).settles_at and not freezer.runs:
            job["job_schedule"] = {"event": "", "status": "completed", "result": freezer._run(job)}
        return operation

    freezer.alive = ""
    operation = stage.done(Verb.PROTECT, stage.volume("data"), between=take_up)
    assert operation.outcome is not None
    assert operation.outcome.result is Result.SUCCEEDED, operation.outcome.reason
    assert freezer.runs == 1


@pytest.mark.usefixtures("pass_time")
def test_cancel_while_the_job_is_withdrawn_leaves_nothing(stage: Stage) -> None:
    freezer = deaf(stage, alive="")

    def cancel(operation: Operation) -> Operation:
        if operation.outcome is None and Receipt.of(operation).settles_at:
            return attrs.evolve(operation, cancel_requested=True)
        return operation

    operation = stage.done(Verb.PROTECT, stage.volume("data"), between=cancel)
    assert operation.outcome is not None
    assert operation.outcome.result is Result.CANCELLED
    assert (freezer.jobs, freezer.actions, freezer.runs) == ({}, {}, 0)


def test_a_withdrawn_job_is_moved_when_no_answer_can_cross_any_more() -> None:
    assert SETTLE < PATIENCE
