"""The steps that the page for authors shows."""

import runpy
from datetime import UTC, datetime
from pathlib import Path

import attrs

from karbor_backup_core import Operation, Outcome, ProgressState, Resource, Result, State, Verb
from tests.pages.blocks import Block


class SnapshotService:
    """The service of the page: it makes a snapshot in one poll."""

    def __init__(self) -> None:
        self.snapshots: dict[str, str] = {}
        self.copies: list[str] = []

    def create_snapshot(self, name: str) -> None:
        self.snapshots.setdefault(name, "busy")

    def snapshot_state(self, name: str) -> str:
        return self.snapshots.get(name, "")

    def delete_snapshot(self, name: str) -> None:
        self.snapshots.pop(name, None)

    def copy_snapshot(self, name: str) -> None:
        self.copies.append(name)


def test_steps_of_the_page_are_executed_and_reverted(
    marked_blocks: list[Block], tmp_path: Path
) -> None:
    (block,) = marked_blocks
    module = tmp_path / "steps.py"
    module.write_text(block.text)
    service = SnapshotService()
    workflow = runpy.run_path(str(module))["create_workflow"](service)
    now = datetime(2026, 1, 1, tzinfo=UTC)
    operation = Operation(
        id="op",
        verb=Verb.PROTECT,
        backend="b",
        implementation="b",
        scope="s",
        resource=Resource("T", "1"),
        created_at=now,
        deadline=now,
        state=State.SUBMITTING,
    )
    assert workflow.status([operation])["op"].state is ProgressState.UNKNOWN
    for _ in range(2):
        begun = workflow.execute(operation)
        assert (begun.state, begun.receipt) == (ProgressState.RUNNING, {"step": "snapshot"})
    operation = attrs.evolve(operation, state=State.RUNNING, receipt=begun.receipt)
    assert workflow.status([operation])["op"].state is ProgressState.RUNNING
    service.snapshots["op"] = "made"
    assert workflow.status([operation])["op"].state is ProgressState.READY
    ended = workflow.execute(operation)
    assert (ended.state, ended.handle) == (ProgressState.SUCCEEDED, {"format": 1})
    assert service.copies == ["op"]
    released = attrs.evolve(
        operation, receipt=ended.receipt, state=State.RELEASING, outcome=Outcome(Result.SUCCEEDED)
    )
    assert workflow.revert(released).state is ProgressState.SUCCEEDED
    assert service.snapshots == {}
