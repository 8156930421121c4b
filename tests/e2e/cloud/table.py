"""The table in ``docs/freezer.md`` of what was seen end to end, from a run of these tests.

A test says what it shows with ``@pytest.mark.shows(resource, mode, storage, seen)``. Each run
notes what it showed in ``.cache/test-cloud.json``; ``python -m tests.e2e.cloud.table`` puts it on
the page.
"""

import json
import os
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import attrs
import cattrs
import pytest

from karbor_backup_freezer.restorable import NEWEST

ROOT: Final = Path(__file__).parents[3]
RESULTS: Final = ROOT / ".cache" / "test-cloud.json"
PAGE: Final = ROOT / "docs" / "freezer.md"
MARK: Final = "shows"

_BEGIN: Final = "<!-- seen end to end: written by tests/e2e/cloud/table.py -->\n"
_END: Final = "<!-- end of what was seen -->\n"
_HEAD: Final = "| resource | mode | storage | seen | test |\n|---|---|---|---|---|\n"


@attrs.frozen
class Row:
    """What one test showed.

    Attributes:
        resource: what was protected, in a word.
        mode: the agent's mode.
        storage: the kind of storage.
        seen: what was compared, in words.
        passed: whether the test passed.
    """

    resource: str
    mode: str
    storage: str
    seen: str
    passed: bool


@attrs.frozen
class Run:
    """What a run of the tests showed."""

    day: str
    rows: tuple[Row, ...]


class Recorder:
    """The pytest plugin that notes what a run showed; pytest-xdist's workers leave it to that."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, ...], bool] = {}

    def pytest_collection_modifyitems(self, items: Sequence[pytest.Item]) -> None:
        for item in items:
            for mark in item.iter_markers(MARK):
                # Only these reach the reports, and with them the process that the run belongs to.
                item.user_properties.append((MARK, list(mark.args)))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or not report.passed:
            for name, shown in report.user_properties:
                if name == MARK:
                    row = tuple(map(str, shown if isinstance(shown, Iterable) else ()))
                    self._rows[row] = report.passed and self._rows.get(row, True)

    def pytest_sessionfinish(self) -> None:
        if "PYTEST_XDIST_WORKER" in os.environ or not self._rows:
            return
        rows = tuple(Row(*shown, passed=passed) for shown, passed in self._rows.items())
        today = datetime.now(UTC).date().isoformat()
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(cattrs.unstructure(Run(today, rows)), indent=1))


def rendered(run: Run) -> str:
    """The table, with a line that tells what it is from."""
    rows = sorted(run.rows, key=lambda row: (row.resource, row.mode, row.storage, row.seen))
    lines = "".join(
        f"| {row.resource} | `{row.mode}` | `{row.storage}` | {row.seen} "
        f"| {'passed' if row.passed else '**failed**'} |\n"
        for row in rows
    )
    return f"Run of {run.day}, freezer-agent {NEWEST}:\n\n{_HEAD}{lines}"


def with_table(page: str, run: Run) -> str:
    """The page with the run's table between its two marks."""
    before, _, rest = page.partition(_BEGIN)
    after = rest.partition(_END)[2]
    return f"{before}{_BEGIN}\n{rendered(run)}\n{_END}{after}"


if __name__ == "__main__":
    PAGE.write_text(
        with_table(PAGE.read_text(), cattrs.structure(json.loads(RESULTS.read_text()), Run))
    )
