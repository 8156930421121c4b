"""The table in ``docs/freezer.md`` of what was seen end to end, from a run of these tests.

A test says what it shows with ``@pytest.mark.shows(resource, mode, storage, seen)``;
``python -m tests.e2e.cloud.table`` puts what a run showed on the page.
"""

from typing import Final

import attrs

from karbor_backup_freezer.restorable import NEWEST
from tests.e2e import tables

RESULTS: Final = tables.ROOT / ".cache" / "test-cloud.json"
MARK: Final = "shows"

_BEGIN: Final = "<!-- seen end to end: written by tests/e2e/cloud/table.py -->\n"
_END: Final = "<!-- end of what was seen -->\n"
_HEAD: Final = ("resource", "mode", "storage", "seen")


def recorder() -> tables.Recorder:
    """The pytest plugin that notes what a run showed."""
    return tables.Recorder(MARK, RESULTS)


def rendered(run: tables.Run) -> str:
    """The table, with a line that tells what it is from."""
    table = tables.rendered(attrs.evolve(run, rows=tuple(map(_quoted, run.rows))), _HEAD)
    return f"Run of {run.day}, freezer-agent {NEWEST}:\n\n{table}"


def _quoted(row: tables.Row) -> tables.Row:
    resource, mode, storage, seen = row.cells
    return attrs.evolve(row, cells=(resource, f"`{mode}`", f"`{storage}`", seen))


def with_table(page: str, run: tables.Run) -> str:
    """The page with the run's table between its two marks."""
    return tables.put(page, rendered(run), _BEGIN, _END)


if __name__ == "__main__":
    tables.PAGE.write_text(with_table(tables.PAGE.read_text(), tables.read(RESULTS)))
