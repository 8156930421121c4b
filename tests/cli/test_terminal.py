"""What only a terminal shows: progress, questions, and Ctrl-C."""

import signal
import time

import pytest

from karbor_backup_core import Operation, Result, State
from tests.cli.command_runner import VOLUME, CommandRunner
from tests.cli.terminal import Terminal

_SLOW = """
cloud.service_seconds = 3600
def gate(request):
    if request == "cancel_job asked":
        cloud.service_seconds = 0  # what undoes the work is quick
cloud.gate = gate
"""
_PROTECT = ("protect", *VOLUME, "-o", "backup_name=one")


def _find_operation(command: CommandRunner) -> Operation:
    (operation,) = command.open_store().operations()
    return operation


def test_progress_is_shown_and_taken_away(command: CommandRunner) -> None:
    with Terminal(*_PROTECT, cloud=command.cloud.name, preparation=_SLOW) as terminal:
        terminal.wait_for("protect of OS::Cinder::Volume volume-1")
        terminal.wait_for("running")
        terminal.wait_for("0 bytes/13 bytes")
        terminal.send_signal(signal.SIGINT)
        terminal.wait_for_exit()
    last_line = terminal.output.rstrip().splitlines()[-1]
    assert "running" not in last_line


def test_reason_of_the_wait_is_shown(command: CommandRunner) -> None:
    busy = """
from karbor_backup_fake.faults import Busy
cloud.faults.plan("create_job", Busy(retry_after=3600))
"""
    with Terminal(*_PROTECT, cloud=command.cloud.name, preparation=busy) as terminal:
        terminal.wait_for("waits: the cloud is busy")
        terminal.send_signal(signal.SIGINT)
        assert terminal.wait_for_exit() == 1


def test_the_first_interrupt_cancels_and_waits(command: CommandRunner) -> None:
    with Terminal(*_PROTECT, cloud=command.cloud.name, preparation=_SLOW) as terminal:
        terminal.wait_for("running")
        terminal.send_signal(signal.SIGINT)
        terminal.wait_for("cancelling, and waiting for the end")
        assert terminal.wait_for_exit() == 1
    assert "volume-1 cancelled (operation" in terminal.output
    operation = _find_operation(command)
    assert operation.state is State.RELEASED
    assert operation.outcome is not None
    assert operation.outcome.result is Result.CANCELLED


def test_second_interrupt_detaches_and_names_the_resume_command(command: CommandRunner) -> None:
    stubborn = f"{_SLOW}\ncloud.heeds_cancel = False"
    with Terminal(*_PROTECT, cloud=command.cloud.name, preparation=stubborn) as terminal:
        terminal.wait_for("running")
        terminal.send_signal(signal.SIGINT)
        terminal.wait_for("Ctrl-C again leaves")
        terminal.send_signal(signal.SIGINT)
        assert terminal.wait_for_exit() == 128 + signal.SIGINT
    operation = _find_operation(command)
    assert f"karbor-backup resume {operation.id}" in terminal.output
    assert (operation.state, operation.owner) == (State.RUNNING, "")
    assert operation.cancel_requested


def test_further_interrupts_end_the_process_although_a_call_hangs(command: CommandRunner) -> None:
    hanging = f"""
import sys, threading
{_SLOW}
def gate(request):
    if request == "cancel_job asked":
        print("this call hangs", file=sys.stderr, flush=True)
        threading.Event().wait()
cloud.gate = gate
"""
    with Terminal(*_PROTECT, cloud=command.cloud.name, preparation=hanging) as terminal:
        terminal.wait_for("running")
        terminal.send_signal(signal.SIGINT)
        terminal.wait_for("Ctrl-C again leaves")
        terminal.wait_for("this call hangs")
        terminal.send_signal(signal.SIGINT)
        terminal.wait_for("is being cancelled; to go on with the cancel")
        assert terminal.signal_until_exit(signal.SIGINT) == -signal.SIGINT


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_burst_of_signals_gives_the_lease_back(
    command: CommandRunner, signum: signal.Signals
) -> None:
    stubborn = f"""
from karbor_backup_cli import _signals
_signals.RELEASE_TIMEOUT = 3600.0  # a busy machine may take long to send the burst
{_SLOW}
cloud.heeds_cancel = False
"""
    with Terminal(*_PROTECT, cloud=command.cloud.name, preparation=stubborn) as terminal:
        terminal.wait_for("running")
        for each in (signum, signum, signal.SIGTERM, signal.SIGINT, signum):
            terminal.send_signal(each)
            time.sleep(0.02)
        assert terminal.wait_for_exit() > 0
    assert _find_operation(command).owner == ""


@pytest.mark.parametrize("late", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_last_signal_of_a_burst_changes_no_status(
    command: CommandRunner, late: signal.Signals
) -> None:
    ending = f"""
import signal
{_SLOW}
class Last:
    def __del__(self, send=signal.raise_signal):
        send({late:d})  # Python has put its own handlers back by now
last = Last()
"""
    with Terminal(*_PROTECT, cloud=command.cloud.name, preparation=ending) as terminal:
        terminal.wait_for("running")
        terminal.send_signal(signal.SIGTERM)
        assert terminal.wait_for_exit() == 128 + signal.SIGTERM


def test_interrupt_during_imports_is_status_130_without_a_traceback(command: CommandRunner) -> None:
    importing = """
import builtins, os, signal
original = builtins.__import__
def interrupt(name, *args, **extra):
    if name == "karbor_backup_cli._main":
        os.kill(os.getpid(), signal.SIGINT)
    return original(name, *args, **extra)
builtins.__import__ = interrupt
"""
    with Terminal("list", cloud=command.cloud.name, preparation=importing) as terminal:
        assert terminal.wait_for_exit() == 130
    assert terminal.output.strip() == ""


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_a_signal_that_ends_processes_lets_go_at_once(
    command: CommandRunner, signum: signal.Signals
) -> None:
    with Terminal(*_PROTECT, cloud=command.cloud.name, preparation=_SLOW) as terminal:
        terminal.wait_for("running")
        terminal.send_signal(signum)
        assert terminal.wait_for_exit() == 128 + signum
    operation = _find_operation(command)
    assert not operation.cancel_requested
    assert operation.owner == ""


def test_a_delete_asks_where_somebody_can_answer(command: CommandRunner) -> None:
    backup = command.protect()
    for answer, status, left in (("n\n", 1, 1), ("y\n", 0, 0)):
        with Terminal("delete", backup, cloud=command.cloud.name) as terminal:
            terminal.wait_for("Delete backup")
            terminal.type_text(answer)
            assert terminal.wait_for_exit() == status
        assert len(command.json("list")["backups"]) == left
