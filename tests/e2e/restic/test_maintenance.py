"""Pruning and checking the repository that all backups share."""

import os
from pathlib import Path

import pytest

from karbor_backup_core import InvalidDocument, Operation, Result, Unsupported, Verb
from tests.e2e.restic.operations import ResticRunner, failure
from tests.support.restic_harness import ResticHarness, kill
from tests.support.waiting import wait_until

SIZE = 4 * 2**20


def begin(runner: ResticRunner, action: str, **options: object) -> str:
    """Start a maintenance; return its id."""
    return runner.runner.maintain("restic", action, options).id


def maintain(runner: ResticRunner, action: str, **options: object) -> Operation:
    """Run a maintenance that must succeed."""
    operation = runner.wait(begin(runner, action, **options))
    assert operation.outcome is not None
    assert operation.outcome.result is Result.SUCCEEDED, operation.outcome
    return operation


def stored_bytes(harness: ResticHarness) -> int:
    """Return how much data is in the repository."""
    return sum(path.stat().st_size for path in harness.repository.glob("data/*/*"))


def test_prune_gives_back_the_space_of_deleted_backups_only(runner: ResticRunner) -> None:
    kept, gone = runner.directory("kept"), runner.directory("gone")
    for directory in (kept, gone):
        Path(directory.id, "noise").write_bytes(os.urandom(SIZE))
    backup = runner.protect(kept)
    runner.succeed(Verb.DELETE, runner.protect(gone))
    assert stored_bytes(runner.harness) > 2 * SIZE
    operation = maintain(runner, "prune", max_unused=0)
    assert operation.backup is None
    assert runner.store.backups() == [backup]
    assert SIZE < stored_bytes(runner.harness) < 2 * SIZE
    restored = runner.succeed(Verb.RESTORE, backup, path=str(runner.harness.folder / "back"))
    assert restored.outcome is not None
    noise = Path(restored.outcome.resources[0].id, "noise")
    assert noise.read_bytes() == Path(kept.id, "noise").read_bytes()


def test_check_says_what_it_has_read(runner: ResticRunner) -> None:
    runner.protect(runner.directory())
    some, everything = maintain(runner, "check"), maintain(runner, "check", read_percent=100)
    for operation, verified in ((some, [True, False]), (everything, [True, True])):
        assert operation.outcome is not None
        assert [check.verified for check in operation.outcome.checks] == verified


def test_check_of_a_damaged_repository_fails(runner: ResticRunner) -> None:
    runner.harness.damage(runner.protect(runner.directory()))
    reason = failure(runner.wait(begin(runner, "check", read_percent=100)))
    assert reason.startswith("restic maintenance: ")
    assert "errors" in reason


def test_prune_waits_for_a_backup_of_somebody_else(runner: ResticRunner) -> None:
    with runner.harness.hold_repository():
        operation_id = begin(runner, "prune")
        waiting = wait_until(lambda: runner.store.operation(operation_id).retry.last_error)
        assert "waits for the repository" in waiting
        assert "locked" in waiting
    assert runner.wait(operation_id).succeeded
    assert runner.harness.inventory().bookkeeping == frozenset()


def test_killed_prune_fails_and_leaves_nothing(runner: ResticRunner) -> None:
    backup = runner.protect(runner.directory())
    operation_id = runner.begin_stalled(lambda: begin(runner, "prune"))
    kill(runner.stalled_processes())
    assert failure(runner.wait(operation_id)) == "restic maintenance: it was ended by SIGKILL"
    assert runner.harness.inventory().bookkeeping == frozenset()
    maintain(runner, "prune")
    runner.succeed(Verb.VERIFY, backup)


def test_cancelled_prune_stops(runner: ResticRunner) -> None:
    operation_id = runner.begin_stalled(lambda: begin(runner, "prune"))
    runner.runner.cancel(operation_id)
    operation = runner.wait(operation_id)
    assert operation.outcome is not None
    assert operation.outcome.result is Result.CANCELLED
    runner.assert_nothing_left()


def test_unfit_maintenance_is_refused(runner: ResticRunner) -> None:
    with pytest.raises(Unsupported, match="its maintenance is: check, prune"):
        begin(runner, "purge")
    with pytest.raises(InvalidDocument, match="max_unused"):
        begin(runner, "prune", max_unused=101)
    assert not runner.store.operations()
