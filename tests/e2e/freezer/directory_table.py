"""The table in ``docs/reference/freezer-support.md`` of what a directory's backup keeps.

``test_directory_table.py`` saves the rows that a run has shown;
``python -m tests.e2e.freezer.directory_table`` writes them on the page.
"""

import json
from collections.abc import Sequence
from typing import Final

from tests.support import result_tables

RESULTS: Final = result_tables.ROOT / ".cache" / "test-directory-table.json"

_BEGIN: Final = "<!-- directories: written by tests/e2e/freezer/directory_table.py -->\n"
_END: Final = "<!-- end of directories -->\n"
_HEAD: Final = "| of a directory | comes back | else named by the check |\n|---|---|---|\n"

Row = tuple[str, bool, str]
"""What was tried, whether it came back, and the name of the check that names it if it did not."""


def save_rows(rows: Sequence[Row]) -> None:
    """Save the rows of a run for the program that writes the page."""
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(rows, indent=1), encoding="utf-8")


def load_rows() -> list[Row]:
    """Return the rows that the last run has saved."""
    return [tuple(row) for row in json.loads(RESULTS.read_text(encoding="utf-8"))]


def insert_table(page: str, rows: Sequence[Row]) -> str:
    """Return the page with the rows in place of those of an earlier run."""
    lines = (
        f"| {what} | {'yes' if back else 'no'} | {f'`{check}`' if check else ''} |\n"
        for what, back, check in rows
    )
    return result_tables.insert_between(page, _HEAD + "".join(lines), _BEGIN, _END)


if __name__ == "__main__":
    result_tables.update_page(lambda page: insert_table(page, load_rows()))
