"""The table in ``docs/freezer.md`` of what was seen with which release of Freezer.

A test says what it shows with ``@pytest.mark.shows_release(agent, api, seen)``;
``python -m tests.e2e.releases.table`` puts what a run showed on the page.
"""

from typing import Final

from tests.e2e import tables

RESULTS: Final = tables.ROOT / ".cache" / "test-freezer-releases.json"
MARK: Final = "shows_release"

_BEGIN: Final = "<!-- seen with releases: written by tests/e2e/releases/table.py -->\n"
_END: Final = "<!-- end of what was seen with releases -->\n"
_HEAD: Final = ("scheduler and agent", "API", "seen")


def recorder() -> tables.Recorder:
    """The pytest plugin that notes what a run showed."""
    return tables.Recorder(MARK, RESULTS)


def with_table(page: str, run: tables.Run) -> str:
    """The page with the run's table between its two marks."""
    text = f"Run of {run.day}:\n\n{tables.rendered(run, _HEAD)}"
    return tables.put(page, text, _BEGIN, _END)


if __name__ == "__main__":
    tables.PAGE.write_text(with_table(tables.PAGE.read_text(), tables.read(RESULTS)))
