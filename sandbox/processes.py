"""Processes that outlive the one that started them, and their certain end."""

import contextlib
import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import attrs
import psutil

MARK = "KARBOR_BACKUP_SANDBOX"
"""The environment variable that marks every process of an instance with its directory."""

GRACE = 5.0
"""Seconds from SIGTERM to SIGKILL."""

# Seconds. The kernel counts a start from boot; psutil adds the time of boot, which moves when the
# clock is set.
_CLOCK_TOLERANCE = 5.0

# A child that ends stays a zombie until it is waited for, and `Popen` complains when it is dropped
# while its child runs: so those of this process are kept until they have been stopped.
_children: dict[int, subprocess.Popen[bytes]] = {}


@attrs.frozen
class ProcessId:
    """A process, told apart from a later one to which the system gives the same number.

    Attributes:
        pid: the number.
        created: when it was started, in seconds since the epoch.
    """

    pid: int
    created: float

    @classmethod
    def of(cls, pid: int) -> "ProcessId":
        """Return the identity of a running process.

        Raises:
            psutil.NoSuchProcess: there is no such process.
        """
        return cls(pid, psutil.Process(pid).create_time())

    def process(self) -> psutil.Process | None:
        """Return the process, or None when it has ended."""
        try:
            process = psutil.Process(self.pid)
            if abs(process.create_time() - self.created) > _CLOCK_TOLERANCE:
                return None
            return None if process.status() == psutil.STATUS_ZOMBIE else process
        except psutil.NoSuchProcess:
            return None


def spawn(
    command: Sequence[str], *, environ: Mapping[str, str], directory: Path, log: Path
) -> ProcessId:
    """Start a process in a session of its own, with both outputs appended to `log`.

    Raises:
        OSError: the program cannot be started.
    """
    with log.open("ab") as output:
        child = subprocess.Popen(
            command,
            env=dict(environ),
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _children[child.pid] = child
    return ProcessId.of(child.pid)


def end(leaders: Iterable[ProcessId], *, grace: float = GRACE) -> None:
    """End these processes with all that they started: SIGTERM, then SIGKILL after `grace` seconds.

    This process itself is spared.
    """
    _end(_families(leaders), grace)


def end_marked(mark: str, *, grace: float = GRACE) -> None:
    """End every process that was started with `mark` in its environment, but this one."""
    _end([process for process in psutil.process_iter() if _mark_of(process) == mark], grace)


def _end(processes: Iterable[psutil.Process], grace: float) -> None:
    doomed = [process for process in processes if process.pid != os.getpid()]
    for process in doomed:
        _signal(process, force=False)
    _, alive = psutil.wait_procs(doomed, timeout=grace)
    for process in alive:
        _signal(process, force=True)
    psutil.wait_procs(alive, timeout=grace)
    for process in doomed:
        if process.pid in _children and _children[process.pid].poll() is not None:
            del _children[process.pid]


def _signal(process: psutil.Process, *, force: bool) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        if force:
            process.kill()
        else:
            process.terminate()


def _families(leaders: Iterable[ProcessId]) -> list[psutil.Process]:
    """Return the leaders that still run, their descendants, and what is left of their sessions."""
    sessions = _sessions()
    family: dict[int, psutil.Process] = {}
    for leader in leaders:
        process = leader.process()
        if process is None and psutil.pid_exists(leader.pid) and leader.pid not in _children:
            continue  # the number, and so the session of that number, is someone else's now
        members = list(sessions.get(leader.pid, ()))
        if process is not None:
            with contextlib.suppress(psutil.NoSuchProcess):
                members += [process, *process.children(recursive=True)]
        family.update({member.pid: member for member in members})
    return list(family.values())


def _sessions() -> dict[int, list[psutil.Process]]:
    sessions: dict[int, list[psutil.Process]] = {}
    for process in psutil.process_iter():
        try:
            sessions.setdefault(os.getsid(process.pid), []).append(process)
        except ProcessLookupError:
            continue
    return sessions


def _mark_of(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(MARK)
    except psutil.Error:
        return None
