"""A test that fails leaves no job behind."""

import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from karbor_backup_process import _processes
from tests.support.waiting import wait_until


@pytest.fixture(autouse=True)
def _end_jobs(tmp_path: Path) -> Iterator[None]:
    """Kill what still runs in the test's jobs, such as a command that waits at a gate."""
    yield
    wait_until(lambda: not _kill_jobs(f"{os.path.realpath(tmp_path)}/"))


def _kill_jobs(folder: str) -> bool:
    """Kill the processes of all jobs in a folder; return whether there were any."""
    marks = set()
    for process in psutil.process_iter():
        try:
            mark = process.environ().get(_processes.MARK, "")
        except psutil.Error:
            continue
        if mark.startswith(folder):
            marks.add(mark)
    for mark in marks:
        _processes.kill_job(mark)
    return bool(marks)
