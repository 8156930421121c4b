"""Processes end with all that they have started, and nobody else does."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import attrs
import psutil
import pytest

from sandbox import processes
from sandbox.processes import MARK, ProcessId
from tests.sandbox.conftest import is_running
from tests.support.waiting import LONG, wait_until

Spawn = Callable[..., ProcessId]

SLEEP = "import time; time.sleep(60)"
WITH_CHILD = f"""
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {SLEEP!r}], start_new_session={{new_session}})
print(child.pid, flush=True)
{{then}}
"""
FRUITFUL = f"""
import signal, subprocess, sys, time
def start_another(*_):
    print(subprocess.Popen([sys.executable, "-c", {SLEEP!r}]).pid, flush=True)
    sys.exit()
signal.signal(signal.SIGTERM, start_another)
print("fruitful", flush=True)
time.sleep(60)
"""
DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(60)
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def spawn(tmp_path: Path, log: Path) -> Iterator[Spawn]:
    mark = str(tmp_path)

    def spawn(code: str) -> ProcessId:
        return processes.start_process(
            [sys.executable, "-c", code], environ={MARK: mark}, directory=tmp_path, log=log
        )

    yield spawn
    processes.terminate_marked(mark)


def read_first_line(log: Path) -> str:
    return wait_until(lambda: log.read_text() if "\n" in log.read_text() else "")


def wait_for_exit(parent: ProcessId) -> None:
    psutil.Process(parent.pid).wait(LONG)


def test_terminate_ends_a_process(spawn: Spawn) -> None:
    process = spawn(SLEEP)
    assert process.process() is not None

    processes.terminate([process])

    assert process.process() is None
    assert not psutil.pid_exists(process.pid)


def test_terminate_kills_a_process_that_ignores_the_signal(spawn: Spawn, log: Path) -> None:
    process = spawn(DEAF)
    read_first_line(log)

    processes.terminate([process], grace=0.2)

    assert process.process() is None


@pytest.mark.parametrize("new_session", [False, True])
def test_terminate_ends_child_processes(spawn: Spawn, log: Path, *, new_session: bool) -> None:
    parent = spawn(WITH_CHILD.format(new_session=new_session, then="time.sleep(60)"))
    child = int(read_first_line(log))

    processes.terminate([parent])

    assert not is_running(child)


def test_terminate_ends_the_session_of_a_process_that_has_ended(spawn: Spawn, log: Path) -> None:
    parent = spawn(WITH_CHILD.format(new_session=False, then=""))
    child = int(read_first_line(log))
    wait_for_exit(parent)

    processes.terminate([parent])

    assert not is_running(child)


def test_terminate_ends_all_processes_with_a_mark(spawn: Spawn, log: Path, tmp_path: Path) -> None:
    parent = spawn(WITH_CHILD.format(new_session=True, then=""))
    child = int(read_first_line(log))
    wait_for_exit(parent)

    processes.terminate_marked(str(tmp_path))

    assert not is_running(child)


@pytest.mark.parametrize("marked", [False, True])
def test_terminate_ends_what_its_end_starts(
    spawn: Spawn, log: Path, tmp_path: Path, *, marked: bool
) -> None:
    parent = spawn(FRUITFUL)
    read_first_line(log)

    if marked:
        processes.terminate_marked(str(tmp_path))
    else:
        processes.terminate([parent])

    assert not is_running(int(log.read_text().split()[1]))


def test_terminate_spares_a_new_process_with_a_reused_pid(spawn: Spawn) -> None:
    process = spawn(SLEEP)
    long_gone = attrs.evolve(process, created=process.created - 3600)

    processes.terminate([long_gone])

    assert long_gone.process() is None
    assert process.process() is not None


def test_zombie_process_counts_as_ended() -> None:
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE) as child:
        process = ProcessId.of(child.pid)
        assert child.stdout is not None
        child.stdout.read()
        wait_until(lambda: psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE)

        assert process.process() is None
