"""The jobs of local processes that the page for authors shows."""

import runpy
from datetime import UTC, datetime
from pathlib import Path

import pytest

from karbor_backup_core import Operation, ProgressState, Resource, State, Verb
from karbor_backup_process import Command, ProcessJobs
from tests.pages.blocks import Block
from tests.process.waiting import wait_for_end


def test_functions_of_the_page_start_and_read_a_job(
    marked_blocks: list[Block], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (block,) = marked_blocks
    module = tmp_path / "jobs_of_the_page.py"
    module.write_text(block.text)
    monkeypatch.chdir(tmp_path)
    page = runpy.run_path(str(module))
    for name, script, expected in (
        ("good", "true", ProgressState.SUCCEEDED),
        ("bad", "echo 'no space' >&2; false", ProgressState.FAILED),
    ):
        operation = _make_operation(name)
        assert page["read"](operation).state is ProgressState.UNKNOWN
        command = Command(["/bin/sh", "-c", script])
        assert page["start"](operation, [command]).state is ProgressState.RUNNING
        assert page["start"](operation, [command]).state is ProgressState.RUNNING
        wait_for_end(ProcessJobs(tmp_path / "jobs").job(name))
        assert page["read"](operation).state is expected
    assert page["read"](operation).reason == "no space"


def _make_operation(name: str) -> Operation:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    return Operation(
        id=name,
        verb=Verb.PROTECT,
        backend="b",
        implementation="b",
        scope="s",
        resource=Resource("T", "1"),
        created_at=now,
        deadline=now,
        state=State.SUBMITTING,
        phase=1,
    )
