"""A short command, with its end waited for."""

import os

import psutil
import pytest

from karbor_backup_core import BackendError, InvalidInput, Transient
from karbor_backup_process import Command

_ENVIRONMENT = {"PATH": os.environ["PATH"]}


def test_run_returns_what_was_written_and_the_exit_status() -> None:
    done = Command(["/bin/sh", "-c", "echo out; echo err >&2; exit 4"], _ENVIRONMENT).run(60)
    assert (done.exit_status, done.output, done.errors) == (4, "out\n", "err\n")


def test_run_gives_inputs_through_files() -> None:
    command = Command(["/bin/sh", "-c", 'cat "$A" "$B"'], _ENVIRONMENT, {"A": "a", "B": "b"})
    assert command.run(60).output == "ab"


def test_run_of_a_missing_program_is_final() -> None:
    with pytest.raises(BackendError, match="/no/such/program cannot be started"):
        Command(["/no/such/program"]).run(60)


def test_run_that_takes_too_long_is_killed_with_its_children() -> None:
    with pytest.raises(Transient, match=r"sh did not end within 0\.2 seconds"):
        Command(["/bin/sh", "-c", "sleep 3217 & sleep 3217"], _ENVIRONMENT).run(0.2)
    children = [
        process
        for process in psutil.process_iter(["cmdline"])
        if process.info["cmdline"] == ["sleep", "3217"]
    ]
    # Killed, they may take a moment to be gone.
    _, alive = psutil.wait_procs(children, timeout=60)
    assert not alive


def test_input_that_no_pipe_takes_is_refused() -> None:
    with pytest.raises(InvalidInput, match="longer than 4096 bytes"):
        Command(["true"], inputs={"WORD": "x" * 5000})


def test_input_is_not_in_the_representation() -> None:
    assert "canary" not in repr(Command(["true"], inputs={"WORD": "canary"}))
