"""Operations that go on after the command: resumed, cancelled from elsewhere, left to others."""

import signal
import threading
from datetime import UTC, datetime, timedelta

import attrs
import pytest

from karbor_backup_core import Lease, ManualClock, Operation, Result, State
from karbor_backup_core._clock import SteadyClock
from karbor_backup_core.documents import from_document
from karbor_backup_core.stores.common import write_one
from tests.cli.command_runner import VOLUME, CommandRunner

_PROTECT = ("protect", *VOLUME, "-o", "backup_name=one")


def _protect_and_detach(command: CommandRunner, *signals: int) -> Operation:
    """Begin a protect whose work goes on for an hour of the cloud's clock, and let go of it."""
    if not isinstance(command.cloud.clock, ManualClock):
        command.cloud.clock = ManualClock()
    command.cloud.service_seconds = 3600
    known = {operation.id for operation in command.open_store().operations()}

    def gate(request: str) -> None:
        if request == "list_jobs done":
            command.cloud.gate = lambda _: None
            for signum in signals or (signal.SIGTERM,):
                signal.raise_signal(signum)

    command.cloud.gate = gate
    result = command(*_PROTECT)
    assert result.exit_code == 128 + (signals or (signal.SIGTERM,))[-1]
    (operation,) = [each for each in command.open_store().operations() if each.id not in known]
    assert operation.state is State.RUNNING
    assert f"karbor-backup resume {operation.id}" in result.stderr
    return operation


def _set_policy(command: CommandRunner, *lines: str) -> None:
    text = command.config.read_text()
    command.config.write_text(text.replace("[policy]", "\n".join(("[policy]", *lines))))


def _finish_work(command: CommandRunner) -> None:
    command.cloud.service_seconds = 0
    clock = command.cloud.clock
    assert isinstance(clock, ManualClock)
    clock.advance(3600)


def test_resume_goes_on_to_the_end(command: CommandRunner) -> None:
    operation = _protect_and_detach(command)
    _finish_work(command)
    result = command("resume", operation.id[:8])
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("protected OS::Cinder::Volume volume-1")
    assert len(command.json("list")["backups"]) == 1
    assert command.cloud.started[operation.id, 1] == 1


def test_resume_without_an_id_takes_all_that_nobody_drives(command: CommandRunner) -> None:
    first, second = _protect_and_detach(command), _protect_and_detach(command)
    _finish_work(command)
    endings = command.json("resume")
    assert {each["id"] for each in endings["operations"]} == {first.id, second.id}
    assert endings["errors"] == []


def test_resume_of_a_finished_operation_prints_its_end_and_does_nothing(
    command: CommandRunner,
) -> None:
    operation = _protect_and_detach(command)
    _finish_work(command)
    assert command("resume", operation.id).stdout.startswith("protected ")
    again = command("resume", operation.id)
    assert again.exit_code == 0
    assert again.stdout.startswith(f"nothing to resume: operation {operation.id}")
    assert "is over since 20" in again.stdout
    assert "protected" not in again.stdout


def test_resume_of_what_was_cancelled_is_no_success(command: CommandRunner) -> None:
    operation = _protect_and_detach(command)
    command.cloud.service_seconds = 0
    command("cancel", operation.id)
    again = command("resume", operation.id)
    assert (again.exit_code, again.stdout) == (1, "")
    assert "cancelled" in again.stderr


def test_ctrl_backslash_leaves_without_a_cancel(command: CommandRunner) -> None:
    operation = _protect_and_detach(command, signal.SIGQUIT)
    assert not operation.cancel_requested
    _finish_work(command)
    assert command("resume", operation.id).exit_code == 0


def test_detaching_from_a_cancel_prints_that_the_cancel_continues(
    command: CommandRunner,
) -> None:
    operation = _protect_and_detach(command, signal.SIGINT, signal.SIGTERM)
    assert operation.cancel_requested
    command.cloud.service_seconds = 0
    resumed = command("resume", operation.id)
    assert resumed.exit_code == 1
    assert f"operation {operation.id} is being cancelled; the cancel continues" in resumed.stderr
    (line,) = [each for each in resumed.stderr.splitlines() if each.startswith("karbor-backup: ")]
    assert line.count("cancelled") == 1


def test_cancel_stops_what_nobody_drives(command: CommandRunner) -> None:
    operation = _protect_and_detach(command)
    command.cloud.service_seconds = 0
    result = command("cancel", operation.id)
    assert result.exit_code == 0, result.stderr
    assert "cancelled" in result.stderr
    assert command.cloud.remaining_ids(operation.id) == []
    again = command("cancel", operation.id)
    assert again.exit_code == 1
    assert "cannot be cancelled any more: cancelled" in again.stderr


def test_cancel_waits_for_the_process_that_drives_it(command: CommandRunner) -> None:
    # It has just died: its lease is good for a moment yet.
    operation = _assign(command, _protect_and_detach(command), timedelta(seconds=1.5))
    command.cloud.service_seconds = 0
    result = command("cancel", operation.id)
    assert result.exit_code == 0, result.stderr
    assert command.open_store().operation(operation.id).state is State.RELEASED


def _assign(command: CommandRunner, operation: Operation, lease: timedelta) -> Operation:
    """Give it to another process, whose lease is good for so long."""
    until = datetime.now(UTC) + lease
    return write_one(command.open_store(), attrs.evolve(operation, lease=Lease("elsewhere", until)))


def test_resume_leaves_alone_what_another_process_drives(command: CommandRunner) -> None:
    _set_policy(command, "lease = 3600")
    operation = _assign(command, _protect_and_detach(command), timedelta(hours=1))
    assert command("resume").stdout == "nothing to resume\n"
    refused = command("resume", operation.id)
    assert refused.exit_code == 1
    assert "is driven by elsewhere" in refused.stderr


def test_resume_names_a_backend_that_is_no_longer_configured(command: CommandRunner) -> None:
    operation = _protect_and_detach(command)
    command.config.write_text(command.config.read_text().replace("mine", "renamed"))
    refused = command("resume")
    assert refused.exit_code == 1
    assert f"operation {operation.id}: backend 'mine' is not configured" in refused.stderr


def _protect_until_suspended(command: CommandRunner) -> tuple[Operation, str]:
    """Protect what never ends; answer the operation, and what was told on the standard error."""
    _set_policy(command, "lease = 3600", "grace = 0.05")
    command.cloud.clock = ManualClock()
    command.cloud.service_seconds = 3600
    command.cloud.heeds_cancel = False
    read, begun = SteadyClock.__call__, threading.Event()

    def read_late(clock: SteadyClock) -> datetime:
        return read(clock) + timedelta(minutes=10 * begun.is_set())

    def note(request: str) -> None:
        if request == "create_job done":  # the work is begun, and the deadline comes
            begun.set()

    command.cloud.gate = note
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SteadyClock, "__call__", read_late)
        result = command(*_PROTECT, "--deadline", "10m")
    assert result.exit_code == 1
    (operation,) = command.open_store().operations()
    return operation, result.stderr


def test_work_that_does_not_end_in_time_is_suspended_and_named(command: CommandRunner) -> None:
    operation, told = _protect_until_suspended(command)
    assert "was not done by its deadline" in told
    assert "left behind: " in told
    assert f"karbor-backup resume {operation.id}" in told
    shown = command("show", operation.id).stdout
    assert "failed, left unreleased" in shown
    _finish_work(command)
    resumed = from_document(Operation, command.json("resume", status=1)["operations"][0])
    assert resumed.state is State.RELEASED
    assert resumed.outcome is not None
    assert resumed.outcome.result is Result.FAILED
    assert command.cloud.remaining_ids(operation.id) == []


def test_operation_that_never_ends_can_be_abandoned(command: CommandRunner) -> None:
    operation, _ = _protect_until_suspended(command)
    abandoned = command("abandon", operation.id)
    assert abandoned.exit_code == 0
    assert f"abandoned: operation {operation.id}" in abandoned.stdout
    assert "left behind: " in abandoned.stderr
    assert command("resume").stdout == "nothing to resume\n"
    again = command("abandon", operation.id)
    assert again.exit_code == 2
    assert "released, not suspended" in again.stderr
