"""A prune has the repository to itself: through the store, before any restic is started."""

from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from karbor_backup_core import Operation, Result, State, Verb
from karbor_backup_core.stores.sql import SQLStore
from tests.e2e.restic.operations import ResticRunner
from tests.support.restic_harness import ResticHarness
from tests.support.waiting import wait_until


@attrs.frozen
class Runners:
    """Two runners with a store each on the same database, as in two processes.

    Attributes:
        ours: one of them.
        theirs: the other one.
    """

    ours: ResticRunner
    theirs: ResticRunner


@pytest.fixture
def runners(restic: ResticHarness, tmp_path: Path) -> Iterator[Runners]:
    """Open two runners on a repository."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    with (
        ResticRunner.open(restic, SQLStore(url)) as ours,
        ResticRunner.open(restic, SQLStore(url)) as theirs,
    ):
        yield Runners(ours, theirs)
        for each in (ours, theirs):
            each.store.close()


def begin_protect(runner: ResticRunner, name: str = "my files") -> str:
    """Start a protect of a new directory; return its id."""
    return runner.begin(Verb.PROTECT, runner.directory(name))


def begin_prune(runner: ResticRunner) -> str:
    """Start a prune; return its id."""
    return runner.runner.maintain("restic", "prune", {}).id


def wait_for_reason(runner: ResticRunner, operation_id: str) -> str:
    """Return why an operation waits, of which restic has heard nothing."""
    reason = wait_until(lambda: runner.store.operation(operation_id).retry.last_error)
    assert runner.store.operation(operation_id).state is State.PLANNED
    assert not list(runner.harness.jobs.glob(f"{operation_id}*"))
    return reason


def cancel(runner: ResticRunner, operation_id: str) -> Operation:
    """Cancel an operation whose restic stands still."""
    runner.runner.cancel(operation_id)
    operation = runner.wait(operation_id)
    assert operation.result is Result.CANCELLED
    return operation


def test_protect_waits_for_a_prune_of_another_process_without_a_restic(runners: Runners) -> None:
    prune = runners.theirs.begin_stalled(lambda: begin_prune(runners.theirs))
    protect = begin_protect(runners.ours, "new")
    reason = wait_for_reason(runners.ours, protect)
    assert reason.startswith(f"operation {prune} works on restic:")
    assert len(runners.ours.restic_processes()) == 1
    cancel(runners.theirs, prune)
    assert runners.ours.wait(protect).succeeded


def test_prune_waits_for_protects_and_bars_later_ones(runners: Runners) -> None:
    first = runners.ours.begin_stalled(lambda: begin_protect(runners.ours))
    second = begin_protect(runners.theirs, "beside it")
    assert runners.theirs.wait(second).succeeded
    prune = begin_prune(runners.theirs)
    assert f"operation {first} works on restic:" in wait_for_reason(runners.theirs, prune)
    later = begin_protect(runners.ours, "later")
    assert f"operation {prune} waits for restic:" in wait_for_reason(runners.ours, later)
    cancel(runners.ours, first)
    assert runners.theirs.wait(prune).succeeded
    assert runners.ours.wait(later).succeeded
    ended = {id_: runners.ours.store.operation(id_) for id_ in (first, prune, later)}
    pruned, protected = ended[prune].ended_at, ended[later].submitted_at
    assert pruned is not None
    assert protected is not None
    assert protected >= pruned


def test_restore_that_takes_no_lock_of_restic_waits_for_a_prune(runners: Runners) -> None:
    backup = runners.ours.protect(runners.ours.directory())
    prune = runners.theirs.begin_stalled(lambda: begin_prune(runners.theirs))
    restore = runners.ours.begin(
        Verb.RESTORE, backup, path=str(runners.ours.harness.folder / "back")
    )
    assert prune in wait_for_reason(runners.ours, restore)
    cancel(runners.theirs, prune)
    assert runners.ours.wait(restore).succeeded
