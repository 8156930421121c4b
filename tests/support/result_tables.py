"""Tables in the documentation of what runs of tests have shown.

A test says what it shows with a mark whose arguments are a row. A run notes the rows in a file of
``.cache/``; a program puts them on the page between two marks.
"""

import json
import os
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import attrs
import cattrs
import pytest

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "reference" / "freezer-support.md"


@attrs.frozen
class ResultRow:
    """What one test showed.

    Attributes:
        cells: the mark's arguments.
        passed: whether the test passed.
    """

    cells: tuple[str, ...]
    passed: bool


@attrs.frozen
class ResultRun:
    """What a run of the tests showed."""

    day: str
    rows: tuple[ResultRow, ...]


class Recorder:
    """The pytest plugin that notes what a run showed; pytest-xdist's workers leave it to that.

    Args:
        mark: the name of the mark.
        results: the file to write.
    """

    def __init__(self, mark: str, results: Path) -> None:
        self._mark = mark
        self._results = results
        self._rows: dict[tuple[str, ...], bool] = {}

    def pytest_collection_modifyitems(self, items: Sequence[pytest.Item]) -> None:
        for item in items:
            for mark in item.iter_markers(self._mark):
                # Only these reach the reports, and with them the process that the run belongs to.
                item.user_properties.append((self._mark, list(mark.args)))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or not report.passed:
            for name, shown in report.user_properties:
                if name == self._mark:
                    row = tuple(map(str, shown if isinstance(shown, Iterable) else ()))
                    self._rows[row] = report.passed and self._rows.get(row, True)

    def pytest_sessionfinish(self) -> None:
        if "PYTEST_XDIST_WORKER" in os.environ or not self._rows:
            return
        rows = tuple(ResultRow(cells, passed) for cells, passed in self._rows.items())
        today = datetime.now(UTC).date().isoformat()
        self._results.parent.mkdir(exist_ok=True)
        self._results.write_text(json.dumps(cattrs.unstructure(ResultRun(today, rows)), indent=1))


def read_results(results: Path) -> ResultRun:
    """Read what a run has noted."""
    return cattrs.structure(json.loads(results.read_text()), ResultRun)


def render_table(run: ResultRun, head: Sequence[str]) -> str:
    """Return the table of a run, its rows in order."""
    lines = [
        _format_row([*head, "test"]),
        _format_row(["---"] * (len(head) + 1)).replace(" ", ""),
        *(
            _format_row([*row.cells, "passed" if row.passed else "**failed**"])
            for row in sorted(run.rows, key=lambda row: row.cells)
        ),
    ]
    return "".join(f"{line}\n" for line in lines)


def update_page(insert: Callable[[str], str], page: Path = PAGE) -> None:
    """Write a page anew, as the function returns it for its present text."""
    page.write_text(insert(page.read_text(encoding="utf-8")), encoding="utf-8")


def insert_between(page: str, text: str, begin: str, end: str) -> str:
    """Return the page with a text between two of its lines."""
    before, _, rest = page.partition(begin)
    after = rest.partition(end)[2]
    return f"{before}{begin}\n{text}\n{end}{after}"


def _format_row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
