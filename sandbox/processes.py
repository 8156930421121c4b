"""Processes that outlive the one that started them, and their certain end."""

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import attrs
import psutil
import tenacity

MARK = "KARBOR_BACKUP_SANDBOX"
"""The environment variable that marks every process of an instance with its directory."""

GRACE = 5.0
"""Seconds from SIGTERM to SIGKILL."""

_UMASK = 0o022

_LOOK_INTERVAL = 0.02

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
        process = self._find_process()
        return (
            process
            if process is not None and self._matches(process) and _is_alive(process)
            else None
        )

    def is_reused(self) -> bool:
        """Whether another process has the number now."""
        process = self._find_process()
        return process is not None and not self._matches(process)

    def _find_process(self) -> psutil.Process | None:
        try:
            process = psutil.Process(self.pid)
            process.create_time()  # is kept; once the process has ended it could not be read
        except psutil.NoSuchProcess:
            return None
        return process

    def _matches(self, process: psutil.Process) -> bool:
        return abs(process.create_time() - self.created) <= _CLOCK_TOLERANCE


def start_process(
    command: Sequence[str], *, environ: Mapping[str, str], directory: Path, log: Path
) -> ProcessId:
    """Start a process in a session of its own, with both outputs appended to `log`.

    Its umask is that of a machine's services, whatever the caller's is: an agent that is not run by
    root withholds those bits from what it restores.

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
            umask=_UMASK,
        )
    _children[child.pid] = child
    return ProcessId.of(child.pid)


def terminate(leaders: Iterable[ProcessId], *, grace: float = GRACE) -> None:
    """End these processes with all that they started: SIGTERM, then SIGKILL after `grace` seconds.

    This process itself is spared.
    """
    leaders = list(leaders)
    _terminate(lambda: _process_trees(leaders), grace)


def terminate_marked(mark: str, *, grace: float = GRACE) -> None:
    """End every process that was started with `mark` in its environment, but this one."""

    def find() -> list[psutil.Process]:
        return [process for process in psutil.process_iter() if _read_mark(process) == mark]

    _terminate(find, grace)


def _terminate(find: Callable[[], Iterable[psutil.Process]], grace: float) -> None:
    """End what is found, and then what those processes have started since the last look."""
    known: set[psutil.Process] = set()
    while doomed := [each for each in find() if each not in known and each.pid != os.getpid()]:
        known.update(doomed)
        for process in doomed:
            _send_signal(process, force=False)
        for process in _wait_for_survivors(doomed, grace):
            _send_signal(process, force=True)
        _wait_for_survivors(doomed, grace)
        for process in doomed:
            if process.pid in _children and _children[process.pid].poll() is not None:
                del _children[process.pid]


def _wait_for_survivors(doomed: Sequence[psutil.Process], grace: float) -> list[psutil.Process]:
    """Return which of the processes are still there after a time that is enough for most."""
    wait = tenacity.Retrying(
        stop=tenacity.stop_after_delay(grace),
        wait=tenacity.wait_fixed(_LOOK_INTERVAL),
        retry=tenacity.retry_if_result(bool),
        retry_error_callback=lambda last: last.outcome and last.outcome.result(),
    )
    return wait(lambda: [process for process in doomed if _is_alive(process)])


def _is_alive(process: psutil.Process) -> bool:
    """Whether a process runs; one that has ended, and that nobody has waited for, does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _send_signal(process: psutil.Process, *, force: bool) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        if force:
            process.kill()
        else:
            process.terminate()


def _process_trees(leaders: Iterable[ProcessId]) -> list[psutil.Process]:
    """Return the leaders that still run, their descendants, and what is left of their sessions."""
    sessions = _group_by_session()
    family: dict[int, psutil.Process] = {}
    for leader in leaders:
        if leader.is_reused():
            continue  # the session of that number is someone else's too
        members = list(sessions.get(leader.pid, ()))
        if process := leader.process():
            with contextlib.suppress(psutil.NoSuchProcess):
                members += process.children(recursive=True)
        family.update({member.pid: member for member in members})
    return list(family.values())


def _group_by_session() -> dict[int, list[psutil.Process]]:
    sessions: dict[int, list[psutil.Process]] = {}
    for process in psutil.process_iter():
        try:
            sessions.setdefault(os.getsid(process.pid), []).append(process)
        except ProcessLookupError:
            continue
    return sessions


def _read_mark(process: psutil.Process) -> str | None:
    try:
        return process.environ().get(MARK)
    except psutil.Error:
        return None
