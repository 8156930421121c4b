"""The table in ``docs/reference/restic.md`` of what a directory's backup keeps.

``test_directory_table.py`` saves the rows that a run has shown;
``python -m tests.e2e.restic.directory_table`` writes them on the page.
"""

import json
from collections.abc import Mapping
from typing import Final

from tests.support import result_tables

PAGE: Final = result_tables.ROOT / "docs" / "reference" / "restic.md"
_RESULTS: Final = result_tables.ROOT / ".cache" / "test-restic-directory-table.json"

_BEGIN: Final = "<!-- directories: written by tests/e2e/restic/directory_table.py -->\n"
_END: Final = "<!-- end of directories -->\n"
_HEAD: Final = "| of a directory | comes back |\n|---|---|\n"


def save_rows(rows: Mapping[str, bool]) -> None:
    """Save the rows of a run for the program that writes the page."""
    _RESULTS.parent.mkdir(exist_ok=True)
    _RESULTS.write_text(json.dumps(rows, indent=1), encoding="utf-8")


def insert_table(page: str, rows: Mapping[str, bool]) -> str:
    """Return the page with the rows in place of those of an earlier run."""
    lines = (f"| {what} | {'yes' if back else 'no'} |\n" for what, back in rows.items())
    return result_tables.insert_between(page, _HEAD + "".join(lines), _BEGIN, _END)


if __name__ == "__main__":
    saved = json.loads(_RESULTS.read_text(encoding="utf-8"))
    result_tables.update_page(lambda page: insert_table(page, saved), PAGE)
