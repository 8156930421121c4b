"""The processes of a job, found by a variable in their environment.

Process ids are given anew, and a stored one may belong to somebody else by now. What a process was
started with stays with it, and psutil sends no signal to a process that has taken another's id.
"""

import signal
from collections.abc import Iterator
from typing import Final

import psutil

MARK: Final = "KARBOR_BACKUP_JOB"
"""The variable that holds the job's directory, in the environment of each of its processes."""

SUPERVISOR_MARK: Final = "KARBOR_BACKUP_SUPERVISOR"
"""Set in the environment of the supervisor alone."""


def signal_job(mark: str, stop_signal: signal.Signals) -> bool:
    """Ask a job to stop: its supervisor, or its other processes where that is gone.

    Args:
        mark: the value of ``MARK`` in its environment.
        stop_signal: what its processes get where there is no supervisor.

    Returns:
        Whether there was a process to ask.
    """
    found = list(_find_processes(mark))
    supervisors = [process for process, environment in found if SUPERVISOR_MARK in environment]
    asked = [_send(process, signal.SIGTERM) for process in supervisors]
    if not supervisors:
        asked = [_send(process, stop_signal) for process, _ in found]
    return any(asked)


def kill_job(mark: str) -> bool:
    """Kill the processes of a job, and its supervisor when no other is left.

    Args:
        mark: the value of ``MARK`` in their environment.

    Returns:
        Whether there was a process to kill.
    """
    found = list(_find_processes(mark))
    working = [process for process, environment in found if SUPERVISOR_MARK not in environment]
    killed = [_send(process, signal.SIGKILL) for process in working or [it for it, _ in found]]
    return any(killed)


def _find_processes(mark: str) -> Iterator[tuple[psutil.Process, dict[str, str]]]:
    for process in psutil.process_iter():
        try:
            environment = process.environ()
        except psutil.Error:  # it has ended, or belongs to another user
            continue
        if environment.get(MARK) == mark:
            yield process, environment


def _send(process: psutil.Process, number: signal.Signals) -> bool:
    try:
        process.send_signal(number)
    except psutil.Error:
        return False
    return True
