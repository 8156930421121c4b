"""The table in ``docs/reference/freezer-support.md`` of what a run of these tests has shown.

A test says what it shows with ``@pytest.mark.shows(resource, mode, storage, seen)``;
``python -m tests.e2e.cloud.table`` puts what a run showed on the page.
"""

from typing import Final

import attrs

from karbor_backup_freezer.agent.compatibility import NEWEST_TESTED
from tests.support import result_tables

RESULTS: Final = result_tables.ROOT / ".cache" / "test-cloud.json"
MARK: Final = "shows"

_BEGIN: Final = "<!-- seen end to end: written by tests/e2e/cloud/table.py -->\n"
_END: Final = "<!-- end of what was seen -->\n"
_HEAD: Final = ("resource", "mode", "storage", "seen")


def recorder() -> result_tables.Recorder:
    """Return the pytest plugin that notes what a run showed."""
    return result_tables.Recorder(MARK, RESULTS)


def render_table(run: result_tables.ResultRun) -> str:
    """Return the table, with a line that tells what it is from."""
    table = result_tables.render_table(
        attrs.evolve(run, rows=tuple(map(_quote_cells, run.rows))), _HEAD
    )
    return f"Run of {run.day}, freezer-agent {NEWEST_TESTED}:\n\n{table}"


def _quote_cells(row: result_tables.ResultRow) -> result_tables.ResultRow:
    resource, mode, storage, result = row.cells
    return attrs.evolve(row, cells=(resource, f"`{mode}`", f"`{storage}`", result))


def insert_table(page: str, run: result_tables.ResultRun) -> str:
    """Return the page with the run's table between its two marks."""
    return result_tables.insert_between(page, render_table(run), _BEGIN, _END)


if __name__ == "__main__":
    result_tables.update_page(lambda page: insert_table(page, result_tables.read_results(RESULTS)))
