"""Real kills of restic, of its supervisor, of both and of the program: no false word, no trace."""

import json
import signal
from pathlib import Path

import pytest

from karbor_backup_core import Resource, Result, Verb
from karbor_backup_core.stores.sql import SQLStore
from karbor_backup_restic import DIRECTORY
from tests.e2e.restic.operations import (
    ResticRunner,
    failure,
    is_alive,
    make_big,
    start_command,
    write_configuration,
)
from tests.support.restic_harness import UNINTERRUPTIBLE, ResticHarness, kill
from tests.support.waiting import wait_until


@pytest.fixture
def big(runner: ResticRunner) -> Resource:
    directory = runner.directory()
    make_big(Path(directory.id, "big"))
    return directory


def begin_work(runner: ResticRunner, resource: Resource) -> str:
    """Start a protect; return when restic has read something."""
    operation_id = runner.begin(Verb.PROTECT, resource)
    wait_until(lambda: runner.store.operation(operation_id).amount.done)
    return operation_id


def check_retry(runner: ResticRunner, resource: Resource) -> None:
    """Nothing is left, and a new protect makes one snapshot."""
    runner.assert_nothing_left()
    Path(resource.id, "big").unlink()
    runner.protect(resource)
    assert len(runner.snapshots()) == 1


def test_killed_restic_fails_and_leaves_nothing(runner: ResticRunner, big: Resource) -> None:
    operation_id = begin_work(runner, big)
    kill(runner.restic_processes())
    operation = runner.wait(operation_id)
    assert failure(operation) == "restic backup: it was ended by SIGKILL"
    (left,) = operation.leftovers
    assert (left.kind, left.id) == ("unused data", str(runner.harness.repository))
    assert "restic prune" in left.note
    check_retry(runner, big)


def test_restic_that_outlives_its_supervisor_is_awaited_and_its_snapshot_removed(
    runner: ResticRunner, big: Resource
) -> None:
    operation_id = begin_work(runner, big)
    kill(runner.supervisors())
    working = runner.restic_processes()
    assert working
    make_big(Path(big.id, "big"), 0)
    assert "killed" in failure(runner.wait(operation_id))
    assert not any(is_alive(process) for process in working)
    check_retry(runner, big)


def test_restic_that_ignores_its_cancel_is_killed_without_its_supervisor(
    restic: ResticHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("karbor_backup_restic._work._KILL_MARGIN", 0.0)
    with ResticRunner.open(restic, stop_timeout=0.1) as runner:
        restic.plan_fault("UNINTERRUPTIBLE", "work", UNINTERRUPTIBLE)
        operation_id = runner.begin(Verb.PROTECT, runner.directory())
        working = wait_until(runner.stalled_processes)
        kill(runner.supervisors())
        runner.runner.cancel(operation_id)
        operation = runner.wait(operation_id)
        assert operation.outcome is not None
        assert operation.outcome.result is Result.CANCELLED
        assert not any(is_alive(process) for process in working)
        runner.assert_nothing_left()


def test_killed_restic_and_supervisor_fail_and_leave_nothing(
    runner: ResticRunner, big: Resource
) -> None:
    operation_id = begin_work(runner, big)
    runner.harness.lose_work()
    assert "killed" in failure(runner.wait(operation_id))
    check_retry(runner, big)


def test_restart_of_the_machine_is_told(runner: ResticRunner, big: Resource) -> None:
    operation_id = begin_work(runner, big)
    note = runner.harness.jobs / f"{operation_id}.1" / "process.json"
    noted = json.loads(note.read_text())
    noted["boot"] = "00000000-0000-0000-0000-000000000000"
    note.write_text(json.dumps(noted))
    runner.harness.lose_work()
    assert failure(runner.wait(operation_id)) == (
        "restic backup: the machine was restarted while it ran"
    )
    check_retry(runner, big)


@pytest.mark.parametrize("finished", [False, True], ids=["while it works", "after its end"])
def test_program_that_dies_is_gone_on_with_and_nothing_is_doubled(
    restic: ResticHarness, tmp_path: Path, *, finished: bool
) -> None:
    directory = tmp_path / "my files"
    directory.mkdir()
    make_big(directory / "big", 2**28)
    program = start_command(write_configuration(restic), "protect", DIRECTORY, str(directory))
    wait_until(lambda: list(restic.jobs.glob("*/process.json")))
    program.send_signal(signal.SIGKILL)
    program.communicate()
    if finished:
        wait_until(lambda: not restic.processes())
    store = SQLStore(f"sqlite:///{tmp_path / 'store.db'}")
    with ResticRunner.open(restic, store) as runner:
        (operation,) = store.operations()
        runner.runner.resume(operation.id)
        ended = runner.wait(operation.id)
        assert ended.outcome is not None
        assert ended.outcome.result is Result.SUCCEEDED, ended.outcome
        (snapshot,) = runner.snapshots()
        assert operation.id in snapshot["tags"]
        assert runner.harness.inventory().bookkeeping == frozenset()
    store.close()
