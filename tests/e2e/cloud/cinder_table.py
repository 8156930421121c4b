"""The tables in ``docs/reference/cinder.md`` of what comes back of a volume and of a server.

``test_cinder_table.py`` saves the rows that a run has shown;
``python -m tests.e2e.cloud.cinder_table`` writes them on the page.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypeAlias

import attrs

from tests.support import result_tables

PAGE: Final = result_tables.ROOT / "docs" / "reference" / "cinder.md"

Row: TypeAlias = Sequence[str]
"""What was tried, and for each way of a restore whether it came back."""


@attrs.frozen
class Table:
    """One of the tables.

    Attributes:
        subject: of what it tells what comes back, as the page's comments name it.
        head: the heads of its columns.
    """

    subject: str
    head: Row

    @property
    def results(self) -> Path:
        """The file that a run saves its rows in."""
        return result_tables.ROOT / ".cache" / f"test-cinder-table-{self.subject}.json"

    def save_rows(self, rows: Sequence[Row]) -> None:
        """Save the rows of a run for the program that writes the page."""
        self.results.parent.mkdir(exist_ok=True)
        self.results.write_text(json.dumps(rows, indent=1), encoding="utf-8")

    def load_rows(self) -> Sequence[Row]:
        """Return the rows that the last run has saved."""
        rows: Sequence[Row] = json.loads(self.results.read_text(encoding="utf-8"))
        return rows

    def insert(self, page: str, rows: Sequence[Row]) -> str:
        """Return the page with the rows in place of those of an earlier run."""
        begin = f"<!-- {self.subject}: written by tests/e2e/cloud/cinder_table.py -->\n"
        lines = (f"| {' | '.join(line)} |\n" for line in rows)
        head = f"| {' | '.join(self.head)} |\n|{'---|' * len(self.head)}\n"
        text = head + "".join(lines)
        return result_tables.insert_between(page, text, begin, f"<!-- end of {self.subject} -->\n")


VOLUMES: Final = Table("volumes", ["of a volume", "a new volume", "a volume that is overwritten"])
SERVERS: Final = Table("servers", ["of a server", "the new server"])


if __name__ == "__main__":
    for table in (VOLUMES, SERVERS):
        result_tables.update_page(lambda page: table.insert(page, table.load_rows()), PAGE)  # noqa: B023 - called at once
