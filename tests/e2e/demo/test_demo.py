"""The demonstration itself: that it succeeds, and that it leaves nothing when it is stopped."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from examples.demo.run import ROOT
from tests.support.waiting import read_until

# It installs the servers first, which has limits of its own.
pytestmark = pytest.mark.usefixtures("sandbox")

_START = """
import sys
from pathlib import Path
from examples.demo.run import run_demo
sys.exit(run_demo({instance!r}, Path({work!r})))
"""


@contextmanager
def _start_demo(instance: str, work: Path) -> Iterator["subprocess.Popen[str]"]:
    """Start a demonstration in a process group of its own, as a shell does."""
    with subprocess.Popen(
        [sys.executable, "-c", _START.format(instance=instance, work=str(work))],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def _list_remaining(instance: str) -> list[str]:
    """Return what runs for an instance, or lies in its directory."""
    home = str(ROOT / ".sandbox" / instance)
    lines = [
        " ".join(process.info["cmdline"] or []) for process in psutil.process_iter(["cmdline"])
    ]
    files = [str(path) for path in Path(home).rglob("*")]
    return [line for line in lines if f"{home}/" in line] + files


def test_demo_succeeds_and_leaves_nothing(tmp_path: Path) -> None:
    instance = f"demo-{os.getpid()}-whole"
    with _start_demo(instance, tmp_path / "work") as process:
        output = process.communicate()[0]
    assert process.returncode == 0, output
    assert "every byte the same" in output
    assert "Lost, and brought back byte for byte" in output
    assert _list_remaining(instance) == []
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize(("signum", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_demo_leaves_nothing(
    tmp_path: Path, signum: signal.Signals, status: int
) -> None:
    instance = f"demo-{os.getpid()}-{signum}"
    with _start_demo(instance, tmp_path / "work") as process:
        output = read_until(process.stdout, "karbor-backup protect")
        if signum == signal.SIGINT:  # a terminal sends it to the whole group
            os.killpg(process.pid, signum)
        else:
            process.send_signal(signum)
        output += process.communicate()[0]
    assert process.returncode == status, output
    assert _list_remaining(instance) == []
    assert not (tmp_path / "work").exists()
