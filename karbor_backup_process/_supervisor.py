"""The supervisor of a job: a program of its own, which needs nothing but the standard library.

It is started as ``python -I -S _supervisor.py LOCK`` in the job's directory, with the job on its
standard input. It forks: the first process ends as soon as the second, in a session of its own,
has noted itself in ``process.json``. The second runs the commands one after the other until one
fails, with its output in ``0.out`` and ``0.err`` and so on, and notes the end in ``status.json``.

A command may read what another one writes: its source. The supervisor keeps the pipe between them
open until the source has ended well. So what a source has written that failed never looks whole to
the command: it gets the stop signal instead of the end of its input.

Where as many jobs run in the directory above as the job's limit allows, the supervisor first waits
until fewer do. As long as it waits there is a file ``queued``.

On SIGTERM it sends the job's stop signal to the command and its source, then, after a time, SIGKILL
to them and all of their process groups.
"""

import contextlib
import fcntl
import json
import os
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Collection
from pathlib import Path
from typing import IO, Any, Final

_STARTED: Final = b"1"
_NO_PROGRAM: Final = 127
"""The exit status of a shell for a program that it cannot start (POSIX, 2.8.2)."""


_REQUESTS: Final = (signal.SIGTERM, signal.SIGINT)
"""The signals that ask for the job to stop."""

_QUEUE_INTERVAL: Final = 0.2
"""Seconds after which the first one in the queue looks again how many jobs run."""


class _StartError(Exception):
    """A program cannot be started."""


class _StopRequested(Exception):
    """A stop was requested while the job was queued."""


class Queue:
    """The jobs of a directory that wait until fewer of them run.

    The first one has the lock of the queue's file, and looks from time to time how many run; the
    others wait for that lock, and the kernel lets them have it in about the order in which they
    came. Who dies leaves the queue.

    Args:
        limit: how many jobs may run, this one included.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._file = os.open("../.queue", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def enter(self) -> bool:
        """Return whether the job may run now; nobody else finds that out before ``leave``.

        Otherwise it is queued.
        """
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if self._has_room():
                return True
        _create("queued").close()
        return False

    def wait(self) -> None:
        """Wait until the job may run."""
        fcntl.flock(self._file, fcntl.LOCK_EX)
        while not self._has_room():
            time.sleep(_QUEUE_INTERVAL)
        Path("queued").unlink()
        self.leave()

    def leave(self) -> None:
        """Let the next one look."""
        os.close(self._file)

    def _has_room(self) -> bool:
        jobs = Path("..").resolve()
        return sum(map(_is_running, jobs.glob("*.*/process.json"))) < self._limit


class Supervisor:
    """Runs the commands of one job.

    Args:
        job: the commands and how to stop them.
        lock: the descriptor of the lock, which each command inherits.
        queue: the queue in which the job is; None where it may run now.
    """

    def __init__(self, job: dict[str, Any], lock: int, queue: Queue | None) -> None:
        self._commands: list[dict[str, Any]] = job["commands"]
        self._stop_signal: int = job["stop_signal"]
        self._stop_timeout: float = job["stop_timeout"]
        self._lock = lock
        self._queue = queue
        self._stopping = False
        self._running: list[subprocess.Popen[bytes]] = []

    def run(self) -> dict[str, Any]:
        """Run the commands until one fails or a stop is requested; return how that ended."""
        for request in _REQUESTS:
            signal.signal(request, lambda *_: self._heed_request())
        signal.signal(signal.SIGALRM, lambda *_: self._kill())
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        end: dict[str, Any] = {"exit_statuses": [], "signal": None, "error": "", "complete": False}
        end["source_error"] = ""
        self._wait_in_queue()
        for index, command in enumerate(self._commands):
            if self._stopping:
                break
            result = self._run_command(index, command)
            end["exit_statuses"].append(result.pop("exit_status"))
            end.update(result)
            if end["exit_statuses"][-1] not in command["accepted"] or end["source_error"]:
                break
        else:
            end["complete"] = True
        return {**end, "stopped": self._stopping, "at": time.time()}

    def _wait_in_queue(self) -> None:
        with contextlib.suppress(_StopRequested):
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _REQUESTS)
            if self._queue is not None:
                self._queue.wait()
                self._queue = None

    def _run_command(self, index: int, command: dict[str, Any]) -> dict[str, Any]:
        try:
            if command["source"] is None:
                return self._wait(self._start(command, str(index), None, None))
            return self._run_with_source(index, command)
        except _StartError as error:
            return {"exit_status": _NO_PROGRAM, "error": str(error)}
        finally:
            self._end_rest()

    def _run_with_source(self, index: int, command: dict[str, Any]) -> dict[str, Any]:
        reader, writer = os.pipe()
        with os.fdopen(reader, "rb") as read, os.fdopen(writer, "wb") as written:
            source = self._start(command["source"], f"{index}.source", None, written)
            process = self._start(command, str(index), read, None)
            read.close()
            error = self._await_source(source, process, written, command)
            return {**self._wait(process), "source_error": error}

    def _await_source(
        self,
        source: "subprocess.Popen[bytes]",
        process: "subprocess.Popen[bytes]",
        written: IO[bytes],
        command: dict[str, Any],
    ) -> str:
        """Wait until a source has ended, or who reads it; return what is wrong with the source."""
        while source.poll() is None and process.poll() is None:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
        if process.poll() is not None:  # of its own accord: it has not seen the end of its input
            unread = process.returncode in command["accepted"]
            return "it had not ended when its output was read no more" if unread else ""
        # What was stopped may say that it has ended well.
        if source.returncode in command["source"]["accepted"] and not self._stopping:
            written.close()
            return ""
        self._signal(self._stop_signal, [process])
        return _describe_end(source.returncode)

    def _start(
        self,
        command: dict[str, Any],
        name: str,
        read: IO[bytes] | None,
        written: IO[bytes] | None,
    ) -> "subprocess.Popen[bytes]":
        """Start a command; its output goes to a file, to nowhere, or to whoever reads it."""
        pipes = {variable: _fill_pipe(text) for variable, text in command["inputs"].items()}
        paths = {variable: f"/dev/fd/{reader}" for variable, reader in pipes.items()}
        kept = None if written or command["discard_output"] else _create(f"{name}.out")
        try:
            with kept or contextlib.nullcontext(), _create(f"{name}.err") as errors:
                process = subprocess.Popen(  # noqa: S603 - the job's own command
                    command["arguments"],
                    stdin=read or subprocess.DEVNULL,
                    stdout=written or kept or subprocess.DEVNULL,
                    stderr=errors,
                    cwd=command["directory"] or None,
                    env={**command["environment"], **paths},
                    pass_fds=[self._lock, *pipes.values()],
                    process_group=0,
                )
        except OSError as error:
            raise _StartError(f"{command['arguments'][0]}: {error}") from error
        finally:
            for reader in pipes.values():
                os.close(reader)
        self._running.append(process)
        # A request that came before the process was known has met nothing.
        if self._stopping:
            self._stop()
        return process

    def _wait(self, process: "subprocess.Popen[bytes]") -> dict[str, Any]:
        code = process.wait()
        return {"exit_status": code} if code >= 0 else {"exit_status": None, "signal": -code}

    def _end_rest(self) -> None:
        """End a source that nobody reads any more, and forget the processes."""
        rest = [process for process in self._running if process.poll() is None]
        self._signal(signal.SIGTERM, rest)
        for process in rest:
            process.wait()
        signal.setitimer(signal.ITIMER_REAL, 0)
        self._running.clear()

    def _heed_request(self) -> None:
        if self._queue is not None and not self._stopping:
            self._stopping = True
            # The calls that it waits in would go on after the signal.
            raise _StopRequested
        self._stop()

    def _stop(self) -> None:
        self._stopping = True
        self._signal(self._stop_signal, self._running)

    def _signal(self, number: int, processes: Collection["subprocess.Popen[bytes]"]) -> None:
        """Send a signal, and SIGKILL after a time to all that goes on."""
        for process in processes:
            self._signal_group(process, number)
        if processes:
            signal.setitimer(signal.ITIMER_REAL, self._stop_timeout)

    def _kill(self) -> None:
        for process in self._running:
            self._signal_group(process, signal.SIGKILL)

    def _signal_group(self, process: "subprocess.Popen[bytes]", number: int) -> None:
        # As long as the command has not been waited for, the number is that of its group.
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)


def main() -> None:
    """Start a supervisor, and end when it has noted itself."""
    lock = int(sys.argv[1])
    job = json.load(sys.stdin)
    reader, writer = os.pipe()
    if os.fork() > 0:
        os.close(writer)
        os._exit(0 if os.read(reader, 1) == _STARTED else 1)
    os.close(reader)
    os.setsid()
    # Whoever reads the note may ask for a stop before there is anybody who heeds it.
    signal.pthread_sigmask(signal.SIG_SETMASK, _REQUESTS)
    queue = None if job["work_limit"] is None else Queue(job["work_limit"])
    is_queued = queue is not None and not queue.enter()
    _write_json("process.json", {**_identify_process(), "commands": len(job["commands"])})
    os.write(writer, _STARTED)
    os.close(writer)
    if queue is not None and not is_queued:
        queue.leave()
    _detach_streams()
    _write_json("status.json", Supervisor(job, lock, queue if is_queued else None).run())


def _is_running(process_file: Path) -> bool:
    """Return whether a process of a job lives that is not queued."""
    directory = process_file.parent
    try:
        lock = os.open(directory / "lock", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:  # it has been removed meanwhile
        return False
    try:
        request = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        found = fcntl.fcntl(lock, fcntl.F_OFD_GETLK, request)
    finally:
        os.close(lock)
    locked = struct.unpack_from("h", found)[0] != fcntl.F_UNLCK
    return locked and not (directory / "queued").exists()


def _identify_process() -> dict[str, Any]:
    """Return what tells this process from any other: for people, and for a restarted machine."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    # The second field, the program's name, may hold spaces and parentheses (proc(5)).
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    return {
        "pid": os.getpid(),
        "started": int(fields[19]),
        "boot": boot.read_text().strip() if boot.exists() else "",
        "host": os.uname().nodename,
        "at": time.time(),
    }


def _describe_end(code: int) -> str:
    """Return how a process has ended, in the words of ``JobStatus.describe``."""
    if code < 0:
        return f"it was ended by {signal.Signals(-code).name}"
    return f"it ended with exit status {code}"


def _detach_streams() -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(null, stream)
    os.close(null)


def _fill_pipe(text: str) -> int:
    """Return the end of a pipe from which a text can be read, once."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        os.write(writer, text.encode())
    finally:
        os.close(writer)
    return reader


def _create(name: str) -> Any:
    return os.fdopen(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _write_json(name: str, document: dict[str, Any]) -> None:
    """Write a file that is there completely or not at all, also after a power failure."""
    with _create(f"{name}.part") as file:
        file.write(json.dumps(document).encode())
        file.flush()
        os.fsync(file.fileno())
    Path(f"{name}.part").rename(name)
    directory = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
    os.fsync(directory)
    os.close(directory)


if __name__ == "__main__":
    main()
