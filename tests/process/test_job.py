"""A job is started once, outlives who started it, and tells how it ended."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

import attrs
import psutil
import pytest

from karbor_backup_core import BackendError, Transient
from karbor_backup_process import Command, JobState, ProcessJob, ProcessJobs
from tests.process.waiting import wait_for_end
from tests.support.waiting import wait_until

_ENVIRONMENT = {"PATH": os.environ["PATH"]}
_SECRET = "canary-of-an-input"  # noqa: S105 - made for the tests


@pytest.fixture
def jobs(tmp_path: Path) -> ProcessJobs:
    jobs = ProcessJobs(tmp_path / "state" / "jobs")
    jobs.prepare()
    return jobs


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """Make a pipe: what reads it goes on when somebody opens it for writing."""
    path = tmp_path / "gate"
    os.mkfifo(path)
    return path


def shell(script: str, **inputs: str) -> Command:
    return Command(["/bin/sh", "-c", script], _ENVIRONMENT, inputs)


def start(job: ProcessJob, *commands: Command, stop_timeout: float = 60.0) -> None:
    with job.claim() as claim:
        assert claim is not None
        claim.start(commands, stop_signal=signal.SIGINT, stop_timeout=stop_timeout)


def supervisor_of(job: ProcessJob) -> psutil.Process:
    noted = json.loads((job.directory / "process.json").read_text())
    return psutil.Process(noted["pid"])


def is_alive(process: psutil.Process) -> bool:
    """Return whether a process runs; one that its parent has not taken notice of does not."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_until_reading(gate: Path) -> IO[bytes]:
    """Return when a process has opened the gate; it goes on when the result is closed."""
    return gate.open("wb")


def test_job_that_was_never_started_is_none(jobs: ProcessJobs) -> None:
    assert jobs.job("one").read_status().state is JobState.NONE


def test_commands_run_one_after_the_other(jobs: ProcessJobs) -> None:
    job = jobs.job("one")
    start(job, shell("echo first"), shell("echo second; echo third >&2"))
    status = wait_for_end(job)
    assert status.state is JobState.ENDED
    assert status.succeeded
    assert status.exit_statuses == (0, 0)
    assert job.read_output(0) == "first\n"
    assert job.read_lines(1) == ["second"]
    assert job.read_lines(1, "err") == ["third"]


def test_command_that_fails_ends_the_job(jobs: ProcessJobs) -> None:
    job = jobs.job("one")
    start(job, shell("echo why >&2; exit 3"), shell("echo never"))
    status = wait_for_end(job)
    assert not status.succeeded
    assert status.exit_statuses == (3,)
    assert status.describe() == "it ended with exit status 3"
    assert job.read_lines(1) == []


def test_accepted_exit_status_does_not_end_the_job(jobs: ProcessJobs) -> None:
    job = jobs.job("one")
    start(job, Command(["/bin/sh", "-c", "exit 3"], accepted=(0, 3)), shell("true"))
    status = wait_for_end(job)
    assert status.succeeded
    assert status.exit_statuses == (3, 0)


def test_program_that_is_missing_is_named(jobs: ProcessJobs) -> None:
    job = jobs.job("one")
    start(job, Command(["/no/such/program"]))
    status = wait_for_end(job)
    assert not status.succeeded
    assert "/no/such/program" in status.describe()


def test_started_job_is_not_claimed_again(jobs: ProcessJobs) -> None:
    job = jobs.job("one")
    start(job, shell("true"))
    with job.claim() as again:
        assert again is None
    wait_for_end(job)
    with job.claim() as again:
        assert again is None


def test_claim_excludes_another_one(jobs: ProcessJobs) -> None:
    job = jobs.job("one")
    with job.claim() as claim:
        assert claim is not None
        with pytest.raises(Transient, match="being started"), job.claim():
            pass


def test_unused_claim_leaves_nothing(jobs: ProcessJobs) -> None:
    job = jobs.job("one")
    with job.claim():
        pass
    assert jobs.jobs_of("one") == []
    start(job, shell("true"))
    assert wait_for_end(job).succeeded


def test_claim_whose_process_died_is_taken_over(jobs: ProcessJobs) -> None:
    job = jobs.job("one")
    program = (
        "import os, pathlib, karbor_backup_process as p\n"
        f"with p.ProcessJob(pathlib.Path({str(job.directory)!r})).claim(): os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", program], check=False)
    assert job.directory.exists()
    assert job.read_status().state is JobState.NONE
    start(job, shell("true"))
    assert wait_for_end(job).succeeded


def test_job_outlives_the_process_that_started_it(jobs: ProcessJobs, gate: Path) -> None:
    job = jobs.job("one")
    program = (
        "import os, pathlib, karbor_backup_process as p\n"
        f"with p.ProcessJob(pathlib.Path({str(job.directory)!r})).claim() as claim:\n"
        f"    claim.start([p.Command(['/bin/cat', {str(gate)!r}])])\n"
        "    os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program], check=False)
    assert job.read_status().state is JobState.RUNNING
    gate.write_text("done\n")
    assert wait_for_end(job).succeeded
    assert job.read_lines() == ["done"]


def test_running_job_is_not_removed(jobs: ProcessJobs, gate: Path) -> None:
    job = jobs.job("one")
    start(job, shell(f"cat '{gate}'"))
    with pytest.raises(BackendError, match="still runs"):
        job.remove()
    gate.write_text("")
    wait_for_end(job)
    job.remove()
    job.remove()
    assert jobs.jobs_of("one") == []


def test_stop_sends_the_signal_and_is_noted(jobs: ProcessJobs, gate: Path) -> None:
    job = jobs.job("one")
    start(job, shell(f"trap 'echo interrupted; exit 130' INT; cat '{gate}'"), shell("echo never"))
    with wait_until_reading(gate):
        assert job.stop(signal.SIGINT)
        status = wait_for_end(job)
    assert status.stopped
    assert not status.succeeded
    assert status.exit_statuses == (130,)
    assert job.read_lines() == ["interrupted"]
    assert not job.stop(signal.SIGINT)


def test_command_that_ignores_the_stop_is_killed(jobs: ProcessJobs, gate: Path) -> None:
    job = jobs.job("one")
    start(job, shell(f"trap '' INT; cat '{gate}'"), stop_timeout=0.1)
    with wait_until_reading(gate):
        assert job.stop(signal.SIGINT)
        status = wait_for_end(job)
    assert status.signal == signal.SIGKILL
    assert status.describe() == "it was ended by SIGKILL"


def test_job_whose_processes_were_killed_is_lost(jobs: ProcessJobs, gate: Path) -> None:
    job = jobs.job("one")
    start(job, shell(f"cat '{gate}'"))
    with wait_until_reading(gate):
        supervisor = supervisor_of(job)
        for process in [supervisor, *supervisor.children(recursive=True)]:
            process.kill()
        status = wait_for_end(job)
    assert status.state is JobState.LOST
    assert "killed" in status.describe()
    job.remove()


def test_job_without_its_supervisor_runs_until_its_command_ends(
    jobs: ProcessJobs, gate: Path
) -> None:
    job = jobs.job("one")
    start(job, shell(f"cat '{gate}'"))
    with wait_until_reading(gate):
        supervisor_of(job).kill()
        assert job.read_status().state is JobState.RUNNING
    assert wait_for_end(job).state is JobState.LOST


def test_job_runs_as_long_as_a_process_that_its_command_has_started(
    jobs: ProcessJobs, gate: Path
) -> None:
    job = jobs.job("one")
    start(job, shell(f"cat '{gate}' &"))
    with wait_until_reading(gate):
        wait_until((job.directory / "status.json").exists)
        assert job.read_status().state is JobState.RUNNING
    assert wait_for_end(job).succeeded


def test_stop_reaches_a_command_without_its_supervisor(jobs: ProcessJobs, gate: Path) -> None:
    job = jobs.job("one")
    start(job, shell(f"cat '{gate}'"))
    with wait_until_reading(gate):
        supervisor = supervisor_of(job)
        supervisor.kill()
        psutil.wait_procs([supervisor])
        assert job.stop(signal.SIGINT)
        assert wait_for_end(job).state is JobState.LOST


def test_command_that_ignores_the_stop_is_killed_without_its_supervisor(
    jobs: ProcessJobs, gate: Path
) -> None:
    job = jobs.job("one")
    start(job, shell(f"trap '' INT; cat '{gate}'"))
    with wait_until_reading(gate):
        supervisor = supervisor_of(job)
        assert not job.kill_overdue(0), "nobody has asked it to stop"
        supervisor.kill()
        psutil.wait_procs([supervisor])
        assert job.stop(signal.SIGINT)
        assert not job.kill_overdue(3600)
        assert job.read_status().state is JobState.RUNNING
        assert job.kill_overdue(0)
        assert wait_for_end(job).state is JobState.LOST
    assert not job.kill_overdue(0), "it has ended"


def test_supervisor_that_hangs_is_killed_after_its_command(jobs: ProcessJobs, gate: Path) -> None:
    job = jobs.job("one")
    start(job, shell(f"cat '{gate}'"))
    with wait_until_reading(gate):
        supervisor = supervisor_of(job)
        supervisor.suspend()
        # It stops when it gets the processor next.
        wait_until(lambda: supervisor.status() == psutil.STATUS_STOPPED)
        assert job.stop(signal.SIGINT)
        working = supervisor.children(recursive=True)
        assert job.kill_overdue(0)
        assert supervisor.status() == psutil.STATUS_STOPPED
        wait_until(lambda: not any(is_alive(process) for process in working))
        assert job.kill_overdue(0)
        assert wait_for_end(job).state is JobState.LOST


def test_discarded_output_is_kept_nowhere(jobs: ProcessJobs) -> None:
    job = jobs.job("one")
    start(job, attrs.evolve(shell("echo long; echo why >&2; exit 3"), discard_output=True))
    wait_for_end(job)
    assert not (job.directory / "0.out").exists()
    assert job.read_lines(0, "err") == ["why"]


def test_job_of_an_earlier_boot_says_that_the_machine_was_restarted(jobs: ProcessJobs) -> None:
    job = jobs.job("one")
    start(job, shell("true"))
    wait_for_end(job)
    # What a restart leaves: the note of the process, and no process.
    (job.directory / "status.json").unlink()
    noted = json.loads((job.directory / "process.json").read_text())
    noted["boot"] = "00000000-0000-0000-0000-000000000000"
    (job.directory / "process.json").write_text(json.dumps(noted))
    status = job.read_status()
    assert status.state is JobState.LOST
    assert status.describe() == "the machine was restarted while it ran"


def test_number_of_a_process_given_anew_is_not_taken_for_the_job(jobs: ProcessJobs) -> None:
    job = jobs.job("one")
    start(job, shell("true"))
    wait_for_end(job)
    (job.directory / "status.json").unlink()
    noted = json.loads((job.directory / "process.json").read_text())
    noted["pid"] = os.getpid()
    (job.directory / "process.json").write_text(json.dumps(noted))
    assert job.read_status().state is JobState.LOST
    assert not job.stop()


def test_input_is_in_no_file_argument_or_environment(jobs: ProcessJobs, gate: Path) -> None:
    job = jobs.job("one")
    start(
        job,
        shell(
            f'read secret <"$WORD"; cat \'{gate}\'; test "$secret" = {_SECRET[:6]}"{_SECRET[6:]}"',
            WORD=f"{_SECRET}\n",
        ),
    )
    with wait_until_reading(gate):
        supervisor = supervisor_of(job)
        assert _SECRET not in str(supervisor.cmdline())
        for process in [supervisor, *supervisor.children(recursive=True)]:
            assert _SECRET not in str(process.environ())
        for path in job.directory.iterdir():
            assert _SECRET not in path.read_text()
    assert wait_for_end(job).succeeded


def test_files_of_a_job_are_their_owner_s_alone(jobs: ProcessJobs) -> None:
    job = jobs.job("one")
    start(job, shell("true"))
    wait_for_end(job)
    assert jobs.directory.stat().st_mode & 0o777 == 0o700
    assert job.directory.stat().st_mode & 0o777 == 0o700
    for path in job.directory.iterdir():
        assert path.stat().st_mode & 0o077 == 0


def test_only_the_end_of_a_long_output_is_read(jobs: ProcessJobs) -> None:
    job = jobs.job("one")
    start(job, shell("seq 100000; printf unfinished"))
    wait_for_end(job)
    lines = job.read_lines()
    assert lines[-1] == "100000"
    assert len(lines) < 20000
    assert all(line.isdigit() for line in lines)


@attrs.frozen
class Pair:
    """A command that copies what its source writes.

    Attributes:
        job: the job of both.
        folder: where the copy is, without the last letter of its name until all was read.
    """

    job: ProcessJob
    folder: Path

    def start(self, source: str, reader: str = "cat >part; mv part copy") -> None:
        """Start both, each given as a script of the shell."""
        command = attrs.evolve(shell(reader), directory=str(self.folder), source=shell(source))
        start(self.job, command, stop_timeout=1.0)

    @property
    def copy(self) -> Path:
        """What was taken for whole."""
        return self.folder / "copy"


@pytest.fixture
def pair(jobs: ProcessJobs, tmp_path: Path) -> Pair:
    return Pair(jobs.job("operation"), tmp_path)


def test_source_is_read_to_its_end(pair: Pair) -> None:
    pair.start("printf 'all of it'; exec 1>&-; sleep 0.1")
    status = wait_for_end(pair.job)
    assert status.succeeded
    assert pair.copy.read_text() == "all of it"


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("printf half; echo broken >&2; exit 3", "it ended with exit status 3"),
        ("printf half; kill -KILL $$", "it was ended by SIGKILL"),
    ],
)
def test_half_of_a_source_never_looks_whole(pair: Pair, source: str, error: str) -> None:
    pair.start(source)
    status = wait_for_end(pair.job)
    assert not status.succeeded
    assert status.source_error == error
    assert status.describe() == f"the source of its input: {error}"
    assert not pair.copy.exists()


def test_reader_that_ignores_its_stop_is_killed_after_a_source_that_failed(
    pair: Pair, gate: Path
) -> None:
    pair.start(f"cat {gate}; exit 1", f'trap "" INT; echo >{gate}; cat >copy; sleep 600')
    status = wait_for_end(pair.job)
    assert (status.source_error, status.signal) == ("it ended with exit status 1", signal.SIGKILL)


def test_source_without_a_reader_is_ended(pair: Pair) -> None:
    pair.start("sleep 600", "exit 0")
    status = wait_for_end(pair.job)
    assert not status.succeeded
    assert status.source_error == "it had not ended when its output was read no more"


def test_source_that_says_when_stopped_that_it_ended_well_is_not_believed(
    pair: Pair, gate: Path
) -> None:
    ready = pair.folder / "ready"
    pair.start(
        f"trap 'exit 0' INT; printf half; until [ -e {ready} ]; do sleep 0.1; done; echo >{gate}; "
        "while :; do sleep 0.1; done",
        f'trap "" INT; touch {ready}; cat >part; mv part copy',
    )
    gate.read_text()
    assert pair.job.stop()
    status = wait_for_end(pair.job)
    assert not status.succeeded
    assert not pair.copy.exists()


@pytest.mark.parametrize("missing", ["source", "reader"])
def test_pair_of_which_one_cannot_be_started_ends(pair: Pair, missing: str) -> None:
    there, gone = shell("sleep 600"), Command(["/no/such/program"])
    reader, source = (there, gone) if missing == "source" else (gone, there)
    start(pair.job, attrs.evolve(reader, source=source), stop_timeout=1.0)
    status = wait_for_end(pair.job)
    assert not status.succeeded
    assert "/no/such/program" in status.error


def test_killed_supervisor_leaves_no_success(pair: Pair, gate: Path) -> None:
    pair.start(f"printf half; echo >{gate}; cat {gate}; exit 1")
    gate.read_text()
    supervisor_of(pair.job).kill()
    gate.write_text("go on")
    status = wait_for_end(pair.job)
    assert status.state is JobState.LOST
    assert not status.succeeded
