"""A directory whose archive takes longer to read than a call may take."""

from pathlib import Path

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

SIZE = 1024 * 2**20
"""Bytes of a file without content: its archive is small, and takes seconds to read."""


@pytest.fixture
def large(harness: FreezerHarness) -> Path:
    """A directory with a large file."""
    tree: Path = harness.tree()
    with (tree / "large").open("wb") as file:
        file.truncate(SIZE)
    return tree


def test_protect_and_verify_report_read_progress_and_verify_can_be_cancelled(
    clean_harness: FreezerHarness, large: Path
) -> None:
    backend = Backend.load("freezer", FreezerBackend, clean_harness.configuration())
    read: list[Operation] = []
    to_cancel: set[str] = set()

    def hear(operation: Operation) -> None:
        if operation.unit == "bytes" and operation.outcome is None:
            read.append(operation)
            if operation.id in to_cancel and not operation.cancel_requested:
                runner.cancel(operation.id)

    with Runner(
        MemoryStore(), {"freezer": backend}, policy=clean_harness.runner_policy, on_change=hear
    ) as runner:
        backup = protect_directory(runner, large)
        assert {operation.verb for operation in read} == {Verb.PROTECT}
        assert_succeeded(run_operation(runner, Verb.VERIFY, backup))
        assert {operation.verb for operation in read} == {Verb.PROTECT, Verb.VERIFY}
        assert all(0 <= (o.done or 0) <= (o.total or 0) for o in read)

        begun = runner.begin("freezer", Verb.VERIFY, backup)
        to_cancel.add(begun.id)
        ended = wait_finished(runner, begun)
        assert ended.outcome.result is Result.CANCELLED
        assert_succeeded(run_operation(runner, Verb.DELETE, backup))
