"""No more restics run at once on a machine than the configuration says, whoever begins them."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from karbor_backup_contract import Fault
from karbor_backup_core import Result, Verb
from karbor_backup_restic import OUTPUT
from tests.e2e.restic.operations import (
    ResticRunner,
    start_command,
    write_configuration,
)
from tests.support.restic_harness import ResticHarness
from tests.support.waiting import wait_until


@pytest.fixture
def gate(restic: ResticHarness) -> Path:
    """Make a pipe: a dump of it goes on when somebody has opened it for writing."""
    path = restic.folder / "gate"
    os.mkfifo(path)
    return path


@pytest.fixture
def config(restic: ResticHarness, gate: Path) -> Path:
    """Let one restic run at once, over outputs of which one is written when the gate opens."""
    commands = {"slow": {"arguments": ["cat", str(gate)]}, "fast": {"arguments": ["echo", "data"]}}
    return write_configuration(restic, work_limit=1, commands=commands)


def command_output(config: Path, *arguments: str) -> str:
    """Return what a command prints that must succeed."""
    program = start_command(config, *arguments)
    printed, _ = program.communicate()
    assert program.returncode == 0, printed
    return printed


def operations(config: Path) -> dict[str, Any]:
    """Return the operations that are not over, by the ids of their resources."""
    listed = json.loads(command_output(config, "operations", "--json"))["operations"]
    return {each["resource"]["id"]: each for each in listed}


def test_second_command_is_queued_until_the_first_one_has_ended(config: Path, gate: Path) -> None:
    first = start_command(config, "protect", OUTPUT, "slow")
    with gate.open("w") as dump:
        second = start_command(config, "protect", OUTPUT, "fast")
        queued = wait_until(
            lambda: "fast" in (found := operations(config)) and found["fast"]["retry"]["queued"]
        )
        assert queued
        reason = operations(config)["fast"]["retry"]["last_error"]
        assert reason.startswith("1 run at once in ")
        assert " queued " in command_output(config, "operations")
        assert second.poll() is None
        dump.write("the dump")
    for program in (first, second):
        printed, _ = program.communicate()
        assert program.returncode == 0, printed


def test_queued_command_is_cancelled_and_has_left_nothing(
    restic: ResticHarness, config: Path, gate: Path
) -> None:
    first = start_command(config, "protect", OUTPUT, "slow")
    with gate.open("w") as dump:
        second = start_command(config, "protect", OUTPUT, "fast")
        wait_until(lambda: list(restic.jobs.glob("*/queued")))
        second.send_signal(signal.SIGINT)
        printed, _ = second.communicate()
        assert second.returncode == 1, printed
        assert "unused data" not in printed
        assert list(restic.jobs.glob("*/queued")) == []
        dump.write("the dump")
    assert first.communicate()
    assert first.returncode == 0


def test_backends_say_the_limit(restic: ResticHarness, config: Path) -> None:
    assert "  work limit: 1 at once;" in command_output(config, "backends")
    (status,) = json.loads(command_output(config, "backends", "--json"))["configured"]
    assert status["info"]["work_limit"] == 1
    assert restic.backend().info.work_limit == 4


def test_limit_of_nothing_is_refused(restic: ResticHarness) -> None:
    program = start_command(write_configuration(restic, work_limit=0), "protect", OUTPUT, "fast")
    printed, _ = program.communicate()
    assert program.returncode == 2
    assert "work_limit" in printed


def test_second_runner_is_queued_behind_work_that_stalls(restic: ResticHarness) -> None:
    with (
        ResticRunner.open(restic, work_limit=1) as one,
        ResticRunner.open(restic, work_limit=1) as other,
    ):
        restic.plan_fault(Fault.STALL.name, "work", "exec sleep 600")
        stalled = one.begin(Verb.PROTECT, one.directory("first"))
        wait_until(one.stalled_processes)
        directory = other.directory("second")
        cancelled, waiting = (other.begin(Verb.PROTECT, directory) for _ in range(2))
        wait_until(lambda: other.store.operation(cancelled).queued)
        other.runner.cancel(cancelled)
        outcome = other.wait(cancelled).outcome
        assert outcome is not None
        assert outcome.result is Result.CANCELLED
        assert other.store.operation(cancelled).leftovers == ()
        wait_until(lambda: other.store.operation(waiting).queued)
        one.runner.cancel(stalled)
        assert other.wait(waiting).succeeded
