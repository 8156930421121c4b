"""What a directory's backup keeps, tried with one entry of every kind.

The test fails where the table in ``docs/reference/freezer-support.md`` says anything else; `make
docs-directories` writes the table anew.
"""

import shutil
from collections.abc import Mapping

import pytest

from karbor_backup_core import Verb
from tests.e2e.freezer.directory_table import Row, insert_table, save_rows
from tests.e2e.freezer.harness import (
    FreezerHarness,
    assert_succeeded,
    protect_directory,
    run_operation,
)
from tests.support.directory_cases import CASES, look_at_cases, make_cases
from tests.support.outcomes import get_outcome
from tests.support.result_tables import PAGE


def _named(name: str, checks: Mapping[str, str]) -> str:
    return next((check for check, reason in checks.items() if name in reason), "")


@pytest.fixture
def rows(harness: FreezerHarness) -> list[Row]:
    """Protect, lose and restore a directory with all of it, and see what came back."""
    tree = harness.folder / "data"
    tree.mkdir()
    make_cases(tree)
    before = look_at_cases(tree)
    runner = harness.runner()
    backup = protect_directory(runner, tree)
    shutil.rmtree(tree)
    restored = run_operation(runner, Verb.RESTORE, backup, {"restore_name": "new"})
    assert_succeeded(restored)
    checks = {c.name: c.reason for c in (*backup.checks, *get_outcome(restored).checks) if c.reason}
    table: list[Row] = []
    for case, then, now in zip(CASES, before, look_at_cases(tree), strict=True):
        back = then == now
        table.append((case.words, back, "" if back else _named(case.name, checks)))
    assert_succeeded(run_operation(runner, Verb.DELETE, backup))
    return table


@pytest.mark.root
def test_page_shows_what_a_backup_keeps(rows: list[Row]) -> None:
    save_rows(rows)
    page = PAGE.read_text(encoding="utf-8")
    assert insert_table(page, rows) == page, "run `make docs-directories`, and look at what changed"
