"""A command sees the sandbox's cloud and no other, and its exit status comes through."""

import signal
import sys
from pathlib import Path

import psutil
import pytest

from sandbox.command import run_command
from sandbox.errors import MissingProgramError


def exit_with(expression: str) -> list[str]:
    return [sys.executable, "-c", f"import os, sys; sys.exit({expression})"]


def test_exit_status_is_returned() -> None:
    assert run_command(exit_with("7"), {}) == 7


def test_signal_is_returned_as_128_plus_its_number() -> None:
    kill = "os.kill(os.getpid(), 9)"

    assert run_command(exit_with(kill), {}) == 128 + signal.SIGKILL


def test_environment_names_the_sandbox_and_no_other_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_AUTH_URL", "https://production.example.org")
    monkeypatch.setenv("MINE", "kept")
    variables = "[os.environ.get(name) for name in ('OS_AUTH_URL', 'OS_CLOUD', 'MINE')]"

    status = run_command(exit_with(f"{variables} != [None, 'demo', 'kept']"), {"OS_CLOUD": "demo"})

    assert status == 0


def test_loopback_is_added_to_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "example.org")

    status = run_command(exit_with("os.environ['NO_PROXY'] != 'example.org,127.0.0.1'"), {})

    assert status == 0


def test_missing_program_is_refused_by_name() -> None:
    with pytest.raises(MissingProgramError, match="no-such-program cannot be run"):
        run_command(["no-such-program"], {})


def test_sigint_is_left_to_the_command() -> None:
    # As a terminal does, to both.
    code = (
        "import os, signal, sys\n"
        "signal.signal(signal.SIGINT, lambda *_: sys.exit(5))\n"
        "os.kill(os.getppid(), signal.SIGINT)\n"
        "os.kill(os.getpid(), signal.SIGINT)\n"
    )

    assert run_command([sys.executable, "-c", code], {}) == 5


def test_command_ends_when_its_caller_is_terminated(tmp_path: Path) -> None:
    def terminated(*_: object) -> None:
        raise SystemExit(143)

    pid = tmp_path / "pid"
    code = (
        "import os, pathlib, signal, time\n"
        f"pathlib.Path({str(pid)!r}).write_text(str(os.getpid()))\n"
        "os.kill(os.getppid(), signal.SIGTERM)\n"
        "time.sleep(300)\n"
    )
    before = signal.signal(signal.SIGTERM, terminated)
    try:
        with pytest.raises(SystemExit):
            run_command([sys.executable, "-c", code], {})
    finally:
        signal.signal(signal.SIGTERM, before)

    assert not psutil.pid_exists(int(pid.read_text()))


def test_no_proxy_for_all_hosts_stays_unchanged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("no_proxy", "*")

    assert run_command(exit_with("os.environ['no_proxy'] != '*'"), {}) == 0
