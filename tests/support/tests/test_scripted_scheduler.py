"""The scripted scheduler: it says to a real Freezer API what a real scheduler says, and obeys."""

import socket
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest
from freezerclient.v2.client import Client

from sandbox import Sandbox
from tests.support.scripted_agent import ScriptedAgent
from tests.support.scripted_scheduler import (
    FAILS,
    FAILS_HALFWAY,
    IGNORED,
    IGNORES_STOP,
    NEVER_STARTS,
    JobOutcome,
    ScriptedScheduler,
)
from tests.support.waiting import wait_until


@attrs.define
class SchedulerHarness:
    """A scripted scheduler whose time stands still, and jobs for it."""

    client: Client
    folder: Path
    scheduler: ScriptedScheduler
    clock: list[float]
    jobs: list[str] = attrs.field(factory=list)

    def create_job(self, client_id: str = "", *, times: int = 1, **fields: Any) -> str:
        """Create a job that backs a directory up, so many times, and start it."""
        source = self.folder / "source"
        source.mkdir(exist_ok=True)
        (source / "file").write_bytes(b"content")
        identifier = uuid.uuid4().hex
        action = {
            "action": "backup",
            "mode": "fs",
            "engine_name": "tar",
            "storage": "local",
            "path_to_backup": str(source),
            "container": str(self.folder / identifier),
            "backup_name": "nightly",
            "hostname": socket.gethostname(),
            **fields,
        }
        document = {
            "job_id": identifier,
            "client_id": client_id or self.client.client_id,
            "job_schedule": {"event": "start", "status": "", "result": ""},
            "job_actions": [{"freezer_action": action, "max_retries": 0}] * times,
        }
        self.client.jobs.create(document, job_id=identifier)
        self.jobs.append(identifier)
        return identifier

    def advance(self, seconds: float = 1) -> None:
        """Let time go by, and the scheduler look."""
        self.clock[0] += seconds
        self.scheduler.run_cycle()

    def read_schedule(self, job: str) -> dict[str, Any]:
        """Return what the API says of how a job stands."""
        schedule: dict[str, Any] = self.client.jobs.get(job)["job_schedule"]
        return schedule

    def read_status(self, job: str) -> tuple[str, str]:
        """Return a job's status and result."""
        schedule = self.read_schedule(job)
        return schedule["status"], schedule["result"]

    def list_records(self, job: str) -> list[dict[str, Any]]:
        """Return what the API keeps of the backups that a job has made."""
        search = {"match": [{"job_id": job}]}
        return [each["backup_metadata"] for each in self.client.backups.list(search=search)]

    def delete_all(self) -> None:
        """Remove what the test has left in Freezer."""
        for job in self.jobs:
            document = self.client.jobs.get(job) or {}
            for action in document.get("job_actions", ()):
                self.client.actions.delete(action["action_id"])
            for record in self.client.backups.list(search={"match": [{"job_id": job}]}):
                self.client.backups.delete(record["backup_id"])
            self.client.jobs.delete(job)


@pytest.fixture
def harness(sandbox: Sandbox, tmp_path: Path) -> Iterator[SchedulerHarness]:
    agent = ScriptedAgent(tmp_path / "store", socket.gethostname())
    client = Client(session=sandbox.session(), endpoint=sandbox.freezer_url)
    clock = [time.time()]
    scheduler = ScriptedScheduler(
        client,
        agent,
        client_id=f"scripted-{uuid.uuid4().hex}",
        now=lambda: clock[0],
        delay=1,
        seconds=2,
    )
    with scheduler:
        harness = SchedulerHarness(client, tmp_path, scheduler, clock)
        yield harness
        harness.delete_all()


def test_scheduler_registers_as_a_real_one(harness: SchedulerHarness) -> None:
    own = harness.client.clients.get(harness.client.client_id)["client"]
    real = harness.client.clients.get("node1")["client"]
    for document in (own, real):
        del document["client_id"], document["uuid"]
    assert own == real


def test_scheduler_runs_a_job_as_a_real_one(harness: SchedulerHarness) -> None:
    scripted, real = harness.create_job(), harness.create_job("node1")
    for _ in range(5):
        harness.advance()
    wait_until(lambda: harness.read_schedule(real)["status"] == "completed")
    own, other = harness.read_schedule(scripted), harness.read_schedule(real)
    assert own.keys() == other.keys()
    for field in ("event", "status", "result"):
        assert own[field] == other[field], field
    (record,), (expected,) = harness.list_records(scripted), harness.list_records(real)
    assert record.keys() <= expected.keys()
    for field in ("client_version", "curr_backup_level", "hostname", "mode", "backup_name"):
        assert record[field] == expected[field], field


def test_job_waits_runs_and_ends_by_the_clock(harness: SchedulerHarness) -> None:
    job = harness.create_job()
    states = []
    for _ in range(4):
        harness.advance()
        states.append(harness.read_status(job))
    done = ("completed", "success")
    assert states == [("scheduled", ""), ("running", ""), ("running", ""), done]
    assert len(harness.list_records(job)) == 1


@pytest.mark.parametrize(("outcome", "noted"), [(FAILS, True), (FAILS_HALFWAY, False)])
def test_job_fails_as_planned(
    harness: SchedulerHarness,
    outcome: JobOutcome,
    noted: bool,  # noqa: FBT001 - a value of the table
) -> None:
    harness.scheduler.plan_outcome(outcome)
    job = harness.create_job()
    for _ in range(4):
        harness.advance()
    assert harness.read_status(job) == ("completed", "fail")
    assert harness.list_records(job) == []
    assert (harness.folder / job / "data").is_dir()
    assert (harness.folder / job / "metadata").is_dir() is noted
    assert harness.scheduler.unfired() == []


def test_last_of_several_actions_fails(harness: SchedulerHarness) -> None:
    harness.scheduler.plan_outcome(FAILS)
    job = harness.create_job(times=3)
    for _ in range(4):
        harness.advance()
    assert harness.read_status(job) == ("completed", "fail")
    assert len(harness.list_records(job)) == 2


def test_job_of_a_missing_resource_fails(harness: SchedulerHarness) -> None:
    job = harness.create_job(path_to_backup="/nowhere/at/all")
    for _ in range(4):
        harness.advance()
    assert harness.read_status(job) == ("completed", "fail")


def test_waiting_job_is_stopped(harness: SchedulerHarness) -> None:
    harness.scheduler.plan_outcome(NEVER_STARTS)
    job = harness.create_job()
    for _ in range(5):
        harness.advance()
    assert harness.read_status(job) == ("scheduled", "")
    harness.client.jobs.stop_job(job)
    harness.advance()
    assert harness.read_status(job) == ("stop", "")
    harness.advance(10)
    assert harness.read_status(job) == ("stop", "")


def test_running_job_is_not_stopped(harness: SchedulerHarness) -> None:
    job = harness.create_job()
    harness.advance()
    harness.advance()
    harness.client.jobs.stop_job(job)
    harness.advance(3)
    assert harness.read_status(job) == ("completed", "success")


@pytest.mark.parametrize(("outcome", "ends"), [(JobOutcome(), "stop"), (IGNORES_STOP, "completed")])
def test_stop_before_the_scheduler_reads_the_job(
    harness: SchedulerHarness, outcome: JobOutcome, ends: str
) -> None:
    harness.scheduler.plan_outcome(outcome)
    job = harness.create_job()
    harness.client.jobs.stop_job(job)
    for _ in range(4):
        harness.advance()
    assert harness.read_schedule(job)["status"] == ends


def test_job_can_be_left_unclaimed(harness: SchedulerHarness) -> None:
    harness.scheduler.plan_outcome(IGNORED)
    job = harness.create_job()
    harness.advance(10)
    harness.client.jobs.stop_job(job)
    harness.advance(10)
    assert harness.read_schedule(job)["status"] == ""


def test_job_deleted_while_it_waits_does_not_run(harness: SchedulerHarness) -> None:
    job = harness.create_job()
    harness.advance()
    harness.client.jobs.delete(job)
    harness.advance(10)
    harness.advance(10)
    assert harness.list_records(job) == []


def test_agent_of_a_deleted_job_completes(harness: SchedulerHarness) -> None:
    job = harness.create_job()
    harness.advance()
    harness.advance()
    harness.client.jobs.delete(job)
    harness.advance(10)
    assert len(harness.list_records(job)) == 1


def are_completed(harness: SchedulerHarness, jobs: Sequence[str]) -> bool:
    """Let time go by, and return whether the jobs have ended."""
    harness.clock[0] += 1
    return all(harness.read_status(job)[0] == "completed" for job in jobs)


def test_scheduler_runs_jobs_in_the_background(harness: SchedulerHarness) -> None:
    jobs = [harness.create_job() for _ in range(12)]
    with harness.scheduler.run_in_background():
        wait_until(lambda: are_completed(harness, jobs))
    assert {harness.read_status(job) for job in jobs} == {("completed", "success")}
