"""The scripted scheduler: it says to a real Freezer API what a real scheduler says, and obeys."""

import socket
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest
from freezerclient.v2.client import Client

from sandbox import Sandbox
from sandbox.scripted_agent import ScriptedAgent
from sandbox.scripted_scheduler import (
    FAILS,
    FAILS_HALFWAY,
    IS_DEAF,
    IS_IGNORED,
    WAITS,
    Fate,
    ScriptedScheduler,
)

PATIENCE = 60.0


@attrs.define
class Place:
    """A scripted scheduler whose time stands still, and jobs for it."""

    client: Client
    folder: Path
    scheduler: ScriptedScheduler
    clock: list[float]
    jobs: list[str] = attrs.field(factory=list)

    def job(self, client_id: str = "", *, times: int = 1, **fields: Any) -> str:
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

    def turn(self, seconds: float = 1) -> None:
        """Let time go by, and the scheduler look."""
        self.clock[0] += seconds
        self.scheduler.cycle()

    def schedule(self, job: str) -> dict[str, Any]:
        """What the API says of how a job stands."""
        schedule: dict[str, Any] = self.client.jobs.get(job)["job_schedule"]
        return schedule

    def stands(self, job: str) -> tuple[str, str]:
        """A job's status and result."""
        schedule = self.schedule(job)
        return schedule["status"], schedule["result"]

    def records(self, job: str) -> list[dict[str, Any]]:
        """What the API keeps of the backups that a job has made."""
        search = {"match": [{"job_id": job}]}
        return [each["backup_metadata"] for each in self.client.backups.list(search=search)]

    def clean(self) -> None:
        """Remove what the test has left in Freezer."""
        for job in self.jobs:
            document = self.client.jobs.get(job) or {}
            for action in document.get("job_actions", ()):
                self.client.actions.delete(action["action_id"])
            for record in self.client.backups.list(search={"match": [{"job_id": job}]}):
                self.client.backups.delete(record["backup_id"])
            self.client.jobs.delete(job)


@pytest.fixture
def place(sandbox: Sandbox, tmp_path: Path) -> Iterator[Place]:
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
        place = Place(client, tmp_path, scheduler, clock)
        yield place
        place.clean()


def test_it_registers_as_a_real_one(place: Place) -> None:
    own = place.client.clients.get(place.client.client_id)["client"]
    real = place.client.clients.get("node1")["client"]
    for document in (own, real):
        del document["client_id"], document["uuid"]
    assert own == real


def test_it_runs_a_job_as_a_real_one(place: Place) -> None:
    scripted, real = place.job(), place.job("node1")
    for _ in range(5):
        place.turn()
    end = time.monotonic() + PATIENCE
    while place.schedule(real)["status"] != "completed" and time.monotonic() < end:
        time.sleep(0.2)
    own, other = place.schedule(scripted), place.schedule(real)
    assert own.keys() == other.keys()
    for field in ("event", "status", "result"):
        assert own[field] == other[field], field
    (made,), (expected,) = place.records(scripted), place.records(real)
    assert made.keys() <= expected.keys()
    for field in ("client_version", "curr_backup_level", "hostname", "mode", "backup_name"):
        assert made[field] == expected[field], field


def test_a_job_waits_runs_and_ends_by_the_clock(place: Place) -> None:
    job = place.job()
    seen = []
    for _ in range(4):
        place.turn()
        seen.append(place.stands(job))
    done = ("completed", "success")
    assert seen == [("scheduled", ""), ("running", ""), ("running", ""), done]
    assert len(place.records(job)) == 1


@pytest.mark.parametrize(("fate", "noted"), [(FAILS, True), (FAILS_HALFWAY, False)])
def test_a_job_fails_when_it_is_told_to(place: Place, fate: Fate, noted: bool) -> None:  # noqa: FBT001 - a value of the table
    place.scheduler.plan(fate)
    job = place.job()
    for _ in range(4):
        place.turn()
    assert place.stands(job) == ("completed", "fail")
    assert place.records(job) == []
    assert (place.folder / job / "data").is_dir()
    assert (place.folder / job / "metadata").is_dir() is noted
    assert place.scheduler.unfired() == []


def test_of_several_actions_the_last_one_fails(place: Place) -> None:
    place.scheduler.plan(FAILS)
    job = place.job(times=3)
    for _ in range(4):
        place.turn()
    assert place.stands(job) == ("completed", "fail")
    assert len(place.records(job)) == 2


def test_a_job_of_what_is_not_there_fails(place: Place) -> None:
    job = place.job(path_to_backup="/nowhere/at/all")
    for _ in range(4):
        place.turn()
    assert place.stands(job) == ("completed", "fail")


def test_a_job_that_waits_is_stopped(place: Place) -> None:
    place.scheduler.plan(WAITS)
    job = place.job()
    for _ in range(5):
        place.turn()
    assert place.stands(job) == ("scheduled", "")
    place.client.jobs.stop_job(job)
    place.turn()
    assert place.stands(job) == ("stop", "")
    place.turn(10)
    assert place.stands(job) == ("stop", "")


def test_a_job_that_runs_is_not_stopped(place: Place) -> None:
    job = place.job()
    place.turn()
    place.turn()
    place.client.jobs.stop_job(job)
    place.turn(3)
    assert place.stands(job) == ("completed", "success")


@pytest.mark.parametrize(("fate", "ends"), [(Fate(), "stop"), (IS_DEAF, "completed")])
def test_a_stop_that_comes_before_the_scheduler(place: Place, fate: Fate, ends: str) -> None:
    place.scheduler.plan(fate)
    job = place.job()
    place.client.jobs.stop_job(job)
    for _ in range(4):
        place.turn()
    assert place.schedule(job)["status"] == ends


def test_a_job_is_never_taken_up(place: Place) -> None:
    place.scheduler.plan(IS_IGNORED)
    job = place.job()
    place.turn(10)
    place.client.jobs.stop_job(job)
    place.turn(10)
    assert place.schedule(job)["status"] == ""


def test_a_job_that_is_deleted_while_it_waits_does_not_run(place: Place) -> None:
    job = place.job()
    place.turn()
    place.client.jobs.delete(job)
    place.turn(10)
    place.turn(10)
    assert place.records(job) == []


def test_the_agent_of_a_job_that_is_deleted_works_on(place: Place) -> None:
    job = place.job()
    place.turn()
    place.turn()
    place.client.jobs.delete(job)
    place.turn(10)
    assert len(place.records(job)) == 1


def test_it_works_on_its_own(place: Place) -> None:
    jobs = [place.job() for _ in range(12)]
    with place.scheduler.running():
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            place.clock[0] += 1
            if all(place.stands(job)[0] == "completed" for job in jobs):
                break
    assert {place.stands(job) for job in jobs} == {("completed", "success")}
