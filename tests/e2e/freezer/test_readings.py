"""A directory whose archive takes longer to read than a call may take."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
import pytest

from karbor_backup_core import Backend, MemoryStore, Operation, Result, Runner, Verb
from karbor_backup_freezer import FreezerBackend
from tests.e2e.freezer.harness import (
    FreezerHarness,
    assert_succeeded,
    protect_directory,
    run_operation,
    wait_finished,
)
from tests.support.outcomes import get_outcome

SIZE = 1024 * 2**20
"""Bytes of a file without content: its archive is small, and takes seconds to read."""


@pytest.fixture
def large(harness: FreezerHarness) -> Path:
    """Return a directory with a large file."""
    tree: Path = harness.tree()
    with (tree / "large").open("wb") as file:
        file.truncate(SIZE)
    return tree


@attrs.define
class Readings:
    """Operations of a runner while archives are read, one of which may be cancelled then."""

    harness: FreezerHarness
    read: list[Operation] = attrs.field(factory=list)
    to_cancel: set[str] = attrs.field(factory=set)

    @contextmanager
    def runner(self) -> Iterator[Runner]:
        """Yield a runner whose operations are noted while they read."""
        backend = Backend.load("freezer", FreezerBackend, self.harness.configuration())

        def note(operation: Operation) -> None:
            if operation.amount.unit == "bytes" and operation.outcome is None:
                self.read.append(operation)
                if operation.id in self.to_cancel and not operation.cancel_requested:
                    runner.cancel(operation.id)

        with Runner(
            MemoryStore(),
            {"freezer": backend},
            policy=self.harness.runner_policy,
            on_change=note,
        ) as runner:
            yield runner

    @property
    def verbs(self) -> set[Verb]:
        """The verbs of what has read."""
        return {operation.verb for operation in self.read}


def test_protect_and_verify_report_read_progress_and_verify_can_be_cancelled(
    clean_harness: FreezerHarness, large: Path
) -> None:
    readings = Readings(clean_harness)
    with readings.runner() as runner:
        backup = protect_directory(runner, large)
        assert readings.verbs == {Verb.PROTECT}
        assert_succeeded(run_operation(runner, Verb.VERIFY, backup))
        assert readings.verbs == {Verb.PROTECT, Verb.VERIFY}
        assert all(0 <= (o.amount.done or 0) <= (o.amount.total or 0) for o in readings.read)

        begun = runner.verify("freezer", backup)
        readings.to_cancel.add(begun.id)
        ended = wait_finished(runner, begun)
        assert get_outcome(ended).result is Result.CANCELLED
        assert_succeeded(run_operation(runner, Verb.DELETE, backup))


def test_restore_that_is_cancelled_while_it_is_compared_names_what_it_has_restored(
    clean_harness: FreezerHarness, large: Path, tmp_path: Path
) -> None:
    readings = Readings(clean_harness)
    target = tmp_path / "restored"
    with readings.runner() as runner:
        backup = protect_directory(runner, large)
        options = {"restore_name": "new", "restore_path": str(target)}
        begun = runner.restore("freezer", backup, options)
        readings.to_cancel.add(begun.id)
        ended = wait_finished(runner, begun)
        assert Verb.RESTORE in readings.verbs
        assert get_outcome(ended).result is Result.CANCELLED
        assert [leftover.id for leftover in get_outcome(ended).leftovers] == [str(target)]
        assert (target / "large").stat().st_size == SIZE
        assert_succeeded(run_operation(runner, Verb.DELETE, backup))
