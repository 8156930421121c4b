"""What a directory's backup keeps, tried with one entry of every kind.

The test fails where the table in ``docs/reference/restic.md`` says anything else; `make
docs-directories` writes the table anew.
"""

from pathlib import Path

import pytest

from karbor_backup_core import Verb
from tests.e2e.restic.directory_table import PAGE, insert_table, save_rows
from tests.e2e.restic.operations import ResticRunner
from tests.support.directory_cases import CASES, look_at_cases, make_cases


@pytest.mark.root
def test_page_shows_what_a_backup_keeps(runner: ResticRunner) -> None:
    directory = runner.directory()
    tree = Path(directory.id)
    make_cases(tree)
    before = look_at_cases(tree)
    backup = runner.protect(directory)
    tree.rename(f"{tree} lost")
    runner.succeed(Verb.RESTORE, backup, path=str(tree))
    after = look_at_cases(tree)
    rows = {case.words: then == now for case, then, now in zip(CASES, before, after, strict=True)}
    save_rows(rows)
    page = PAGE.read_text(encoding="utf-8")
    assert insert_table(page, rows) == page, "run `make docs-directories`, and look at what changed"
