"""One job: claiming it, starting it, looking at it, stopping it and removing it."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import attrs

from karbor_backup_core import BackendError, Transient
from karbor_backup_process import _lock, _processes, _status
from karbor_backup_process._command import Command
from karbor_backup_process._status import JobState, JobStatus

_SUPERVISOR: Final = Path(__file__).with_name("_supervisor.py")
_START_TIMEOUT: Final = 60.0
"""Seconds that the start of a supervisor may take."""

_TAIL: Final = 64 * 1024
"""Bytes at the end of an output that ``read_lines`` looks at."""


@attrs.frozen
class ProcessJob:
    """The work of one phase of an operation, in processes of this machine.

    Attributes:
        directory: its own, made when it is claimed.
        work_limit: see ``ProcessJobs``.
    """

    directory: Path
    work_limit: int | None = None

    @contextlib.contextmanager
    def claim(self) -> Iterator["Claim | None"]:
        """Claim the job, to start it inside the ``with``; a claim that is not used is undone.

        As long as the claim lasts no other process can start the job. So what is looked up
        meanwhile, such as whether the work has been done already, stays true until the start.

        Yields:
            The claim; None if the job was started before.

        Raises:
            Transient: another process claims the job at this moment.
            OSError: the directory cannot be made.
        """
        lock = self.directory / _status.LOCK_FILE
        descriptor = self._open_lock(lock)
        try:
            claimed = _lock.try_lock(descriptor) and _lock.is_same_file(descriptor, lock)
            if self._was_started():
                yield None
                return
            if not claimed:
                raise Transient(f"job {self.directory.name} is being started by another process")
            try:
                yield Claim(self, descriptor)
            finally:
                if not self._was_started():
                    self._remove_directory()
        finally:
            os.close(descriptor)

    def read_status(self) -> JobStatus:
        """Look how the job stands; only reads.

        Raises:
            OSError: its files cannot be read.
        """
        # The lock first: whatever is written before it is free is seen afterwards.
        # And it alone: a command may have ended while a process that it started goes on.
        if _lock.is_locked(self.directory / _status.LOCK_FILE):
            return JobStatus(JobState.RUNNING, _status.is_queued(self.directory))
        ended = _status.read_ended(self.directory) or _status.read_lost(self.directory)
        return ended or JobStatus(JobState.NONE)

    def read_output(self, command: int = 0) -> str:
        """Return all that a command has written to its standard output.

        Raises:
            OSError: it cannot be read; ``FileNotFoundError`` if the command was not started.
        """
        return (self.directory / f"{command}.out").read_text(errors="replace")

    def read_lines(self, command: int = 0, stream: str = "out") -> list[str]:
        """Return the last whole lines that a command has written, the latest last.

        Args:
            command: its index.
            stream: ``out`` or ``err``; ``source.err`` for the messages of its source.
        """
        try:
            with (self.directory / f"{command}.{stream}").open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - _TAIL))
                text = file.read(_TAIL).decode(errors="replace")
        except FileNotFoundError:
            return []
        whole, _, _ = text.rpartition("\n")
        lines = whole.split("\n")
        return [line for line in lines[1 if size > _TAIL else 0 :] if line]

    def stop(self, stop_signal: signal.Signals = signal.SIGTERM) -> bool:
        """Ask the job to stop, and return whether a process was asked.

        Its supervisor sends the signal that it was started with, and SIGKILL after a time. Where
        the supervisor is gone, the processes that it has left get ``stop_signal``.
        """
        if self.read_status().state is not JobState.RUNNING:
            return False
        stop = self.directory / _status.STOP_FILE
        if not stop.exists():
            stop.write_text(json.dumps({"at": _seconds_since_boot()}))
        return _processes.signal_job(str(self.directory), stop_signal)

    def kill_overdue(self, stop_timeout: float) -> bool:
        """Send SIGKILL to a job that goes on long after it was asked to stop.

        A supervisor that lives does that itself; this is for whoever polls, since the supervisor
        may be gone, or stopped. What it supervises is killed first, so that it can note that.

        Args:
            stop_timeout: seconds since the first ``stop``, longer than the supervisor's.

        Returns:
            Whether a process was killed.
        """
        asked = _status.read_json(self.directory / _status.STOP_FILE)
        if asked is None or _seconds_since_boot() - asked.get("at", 0) < stop_timeout:
            return False
        if self.read_status().state is not JobState.RUNNING:
            return False
        return _processes.kill_job(str(self.directory))

    def remove(self) -> None:
        """Remove the job's directory; one that is gone stays gone.

        Raises:
            BackendError: the job still runs.
            OSError: a file cannot be removed.
        """
        if self.read_status().state is JobState.RUNNING:
            raise BackendError(f"job {self.directory} still runs: it is removed when it has ended")
        self._remove_directory()

    def _open_lock(self, lock: Path) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        try:
            self.directory.mkdir(mode=0o700, exist_ok=True)
            return os.open(lock, flags, 0o600)
        except FileNotFoundError:  # the claim that made the directory was undone meanwhile
            self.directory.mkdir(mode=0o700, exist_ok=True)
            return os.open(lock, flags, 0o600)

    def _was_started(self) -> bool:
        return (self.directory / _status.PROCESS_FILE).exists()

    def _remove_directory(self) -> None:
        # The status goes last: a removal that is interrupted leaves a job that has ended.
        for entry in sorted(self.directory.glob("*"), key=_is_status):
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink(missing_ok=True)
        with contextlib.suppress(FileNotFoundError):
            self.directory.rmdir()


@attrs.frozen
class Claim:
    """The right to start a job, as long as the ``with`` lasts that gave it."""

    job: ProcessJob
    _descriptor: int

    def start(
        self,
        commands: Sequence[Command],
        *,
        stop_signal: signal.Signals = signal.SIGTERM,
        stop_timeout: float = 30.0,
    ) -> None:
        """Start the job: its commands run one after the other, until one fails.

        Where as many jobs run as the job's ``work_limit`` allows, it is queued first.

        Args:
            commands: what to run.
            stop_signal: what the running command gets when the job is asked to stop.
            stop_timeout: seconds after which the command and its process group get SIGKILL.

        Raises:
            Transient: the supervisor has not answered in time; it may have been started.
            BackendError: the supervisor cannot be started.
        """
        document: dict[str, Any] = {
            "commands": [
                _with_mark(command.to_document(), self.job.directory) for command in commands
            ],
            "stop_signal": int(stop_signal),
            "stop_timeout": stop_timeout,
            "work_limit": self.job.work_limit,
        }
        mark = {_processes.MARK: str(self.job.directory), _processes.SUPERVISOR_MARK: "1"}
        try:
            done = subprocess.run(  # noqa: S603 - the supervisor of this package
                [sys.executable, "-I", "-S", str(_SUPERVISOR), str(self._descriptor)],
                input=json.dumps(document),
                text=True,
                capture_output=True,
                check=False,
                cwd=self.job.directory,
                env={"LC_ALL": "C.UTF-8", **mark},
                pass_fds=[self._descriptor],
                start_new_session=True,  # so that Ctrl-C in a terminal does not reach it
                timeout=_START_TIMEOUT,
            )
        except subprocess.TimeoutExpired:
            raise Transient("the supervisor of the job did not answer in time") from None
        except OSError as error:
            raise BackendError(f"the supervisor of the job cannot be started: {error}") from error
        if done.returncode != 0:
            last = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
            raise BackendError(f"the supervisor of the job cannot be started: {last[0]}")


def _seconds_since_boot() -> float:
    """Return the time on a clock that all processes share and nobody sets."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _with_mark(document: dict[str, Any], directory: Path) -> dict[str, Any]:
    environment = {**document["environment"], _processes.MARK: str(directory)}
    source = document["source"] and _with_mark(document["source"], directory)
    return {**document, "environment": environment, "source": source}


def _is_status(entry: Path) -> bool:
    return entry.name == _status.STATUS_FILE
