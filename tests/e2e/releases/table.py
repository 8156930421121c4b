"""The table in ``docs/reference/freezer-support.md`` of what was seen with which release.

A test says what it shows with ``@pytest.mark.shows_release(agent, api, seen)``;
``python -m tests.e2e.releases.table`` puts what a run showed on the page. The releases are many and
slow, so that a run may be of a few tests only: a row stays, with its day, until its test runs anew.
"""

import re
from typing import Final

import attrs

from tests.support import result_tables

RESULTS: Final = result_tables.ROOT / ".cache" / "test-freezer-releases.json"
MARK: Final = "shows_release"

_BEGIN: Final = "<!-- seen with releases: written by tests/e2e/releases/table.py -->\n"
_END: Final = "<!-- end of what was seen with releases -->\n"
_HEAD: Final = "| scheduler and agent | API | seen | run of | test |\n|---|---|---|---|---|\n"
_ROW: Final = re.compile(
    r"\| (?P<agent>\S+) \| (?P<api>\S+) \| (?P<seen>.+) \| (?P<day>\d{4}-\d\d-\d\d) "
    r"\| (?P<test>passed|\*\*failed\*\*) \|\n"
)


@attrs.frozen(order=True)
class Seen:
    """What a test showed with one pair of releases.

    Attributes:
        cells: scheduler and agent, API, and what the test shows.
        day: when, as in 2026-11-27.
        passed: whether the test passed.
    """

    cells: tuple[str, ...]
    day: str
    passed: bool


def recorder() -> result_tables.Recorder:
    """Return the pytest plugin that notes what a run showed."""
    return result_tables.Recorder(MARK, RESULTS)


def rows_of(page: str) -> list[Seen]:
    """Return the rows of the table on a page."""
    table = page.partition(_BEGIN)[2].partition(_END)[0]
    return [
        Seen((row["agent"], row["api"], row["seen"]), row["day"], row["test"] == "passed")
        for row in _ROW.finditer(table)
    ]


def insert_table(page: str, run: result_tables.ResultRun) -> str:
    """Return the page with the rows of a run in place of earlier ones of the same tests."""
    rows = {row.cells: row for row in rows_of(page)}
    rows |= {row.cells: Seen(row.cells, run.day, row.passed) for row in run.rows}
    lines = (
        f"| {' | '.join(row.cells)} | {row.day} | {'passed' if row.passed else '**failed**'} |\n"
        for row in sorted(rows.values())
    )
    return result_tables.insert_between(page, _HEAD + "".join(lines), _BEGIN, _END)


if __name__ == "__main__":
    result_tables.update_page(lambda page: insert_table(page, result_tables.read_results(RESULTS)))
