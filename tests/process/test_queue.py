"""No more jobs of a directory run than its limit allows; the others are queued."""

import concurrent.futures
import json
import os
import signal
from pathlib import Path

import psutil
import pytest

from karbor_backup_process import Command, JobState, ProcessJob, ProcessJobs, _job
from tests.process.waiting import wait_for_end

_ENVIRONMENT = {"PATH": os.environ["PATH"]}
_STOPPED_EARLY = """
import os, signal

program = {"__name__": "supervisor"}
with open(%r) as code:
    exec(code.read(), program)
run = program["Supervisor"].run

def stop_and_run(supervisor):
    os.kill(os.getpid(), signal.SIGTERM)
    return run(supervisor)

program["Supervisor"].run = stop_and_run
program["main"]()
"""
"""The supervisor, which is asked to stop when it has noted itself and done nothing yet."""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    ProcessJobs(tmp_path / "jobs").prepare()
    return tmp_path / "jobs"


@pytest.fixture
def one_at_once(directory: Path) -> ProcessJobs:
    return ProcessJobs(directory, work_limit=1)


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """Make a pipe: what reads it goes on when somebody has opened it for writing."""
    path = tmp_path / "gate"
    os.mkfifo(path)
    return path


def start(job: ProcessJob, script: str) -> ProcessJob:
    with job.claim() as claim:
        assert claim is not None
        claim.start([Command(["/bin/sh", "-c", script], _ENVIRONMENT)], stop_signal=signal.SIGINT)
    return job


def supervisor_of(job: ProcessJob) -> psutil.Process:
    noted = json.loads((job.directory / "process.json").read_text())
    return psutil.Process(noted["pid"])


def test_job_beyond_the_limit_is_queued_until_there_is_room(
    one_at_once: ProcessJobs, gate: Path
) -> None:
    first = start(one_at_once.job("first"), f"cat '{gate}'")
    second = start(one_at_once.job("second"), "echo done")
    assert not first.read_status().queued
    assert second.read_status().queued
    assert second.read_status().state is JobState.RUNNING
    assert second.read_status().describe() == "it is queued"
    assert not second.read_status().was_begun
    gate.write_text("")
    status = wait_for_end(second)
    assert status.succeeded
    assert status.was_begun
    assert second.read_lines() == ["done"]


def test_queued_job_that_is_stopped_was_never_begun(one_at_once: ProcessJobs, gate: Path) -> None:
    first = start(one_at_once.job("first"), f"cat '{gate}'")
    queued = [start(one_at_once.job(name), "echo done") for name in ("second", "third")]
    for job in queued:
        assert job.stop(signal.SIGINT)
        status = wait_for_end(job)
        assert status.state is JobState.ENDED
        assert status.describe() == "it was stopped"
        assert not status.was_begun
        assert job.read_lines() == []
        job.remove()
    gate.write_text("")
    assert wait_for_end(first).succeeded


@pytest.mark.parametrize(("limit", "queued"), [(1, True), (2, False)])
def test_stop_that_comes_before_the_supervisor_is_ready_is_heeded(
    directory: Path, gate: Path, monkeypatch: pytest.MonkeyPatch, limit: int, *, queued: bool
) -> None:
    jobs = ProcessJobs(directory, work_limit=limit)
    first = start(jobs.job("first"), f"cat '{gate}'")
    script = directory / "supervisor.py"
    script.write_text(_STOPPED_EARLY % str(_job._SUPERVISOR))
    monkeypatch.setattr(_job, "_SUPERVISOR", script)
    status = wait_for_end(start(jobs.job("second"), "echo done"))
    assert status.state is JobState.ENDED
    assert status.describe() == "it was stopped"
    assert status.queued == queued
    assert status.exit_statuses == ()
    gate.write_text("")
    assert wait_for_end(first).succeeded


def test_queued_job_whose_supervisor_was_killed_is_lost_and_in_nobody_s_way(
    one_at_once: ProcessJobs, gate: Path
) -> None:
    start(one_at_once.job("first"), f"cat '{gate}'")
    second, third = (start(one_at_once.job(name), "true") for name in ("second", "third"))
    supervisor_of(second).kill()
    status = wait_for_end(second)
    assert status.state is JobState.LOST
    assert not status.was_begun
    gate.write_text("")
    assert wait_for_end(third).succeeded


def test_command_without_its_supervisor_still_counts(one_at_once: ProcessJobs, gate: Path) -> None:
    first = start(one_at_once.job("first"), f"cat '{gate}'")
    with gate.open("w"):
        supervisor_of(first).kill()
        second = start(one_at_once.job("second"), "true")
        assert second.read_status().queued
    assert wait_for_end(second).succeeded


def test_jobs_of_others_count_whatever_their_limit(directory: Path, gate: Path) -> None:
    start(ProcessJobs(directory).job("first"), f"cat '{gate}'")
    begun = start(ProcessJobs(directory, work_limit=2).job("second"), "true")
    assert wait_for_end(begun).succeeded
    queued = start(ProcessJobs(directory, work_limit=1).job("third"), "true")
    assert queued.read_status().queued
    gate.write_text("")
    assert wait_for_end(queued).succeeded


def test_jobs_that_are_started_together_keep_the_limit(directory: Path, tmp_path: Path) -> None:
    jobs = ProcessJobs(directory, work_limit=2)
    log = tmp_path / "log"
    script = f"echo +1 >>'{log}'; head -c 10000000 /dev/zero | cksum; echo -1 >>'{log}'"
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        started = list(pool.map(lambda n: start(jobs.job(f"job{n}"), script), range(8)))
    for job in started:
        assert wait_for_end(job).succeeded
    running, most = 0, 0
    for line in log.read_text().split():
        running += int(line)
        most = max(most, running)
    assert running == 0
    assert most <= 2
