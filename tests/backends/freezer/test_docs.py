"""What operators read is what the code does."""

from pathlib import Path

import pytest

from karbor_backup_freezer import schemas
from karbor_backup_freezer.config import CONFIG_SCHEMA
from karbor_backup_freezer.resources import DIRECTORY, SERVER, VOLUME
from karbor_backup_freezer.restorable import NEWEST, verdict
from karbor_backup_freezer.storages import Kind
from tests.e2e.cloud.table import with_table
from tests.e2e.releases import table as releases
from tests.e2e.releases import test_check, test_operations
from tests.e2e.releases.conftest import PAIRS
from tests.e2e.tables import Row, Run

PAGE = (Path(__file__).parents[3] / "docs" / "freezer.md").read_text()


@pytest.mark.parametrize("kind", Kind)
def test_the_page_shows_the_table_of_what_comes_back(kind: Kind) -> None:
    section = PAGE.partition("## What comes back")[2].partition("\n## ")[0]
    (row,) = [line for line in section.splitlines() if line.startswith(f"| `{kind}` ")]
    cells = [cell.strip() for cell in row.strip("|").split("|")][1:]
    shown = [cell.startswith("yes") for cell in cells]
    columns = (DIRECTORY, SERVER, VOLUME)
    assert shown == [verdict(NEWEST, column, kind).restorable for column in columns]


def test_the_page_names_every_key_and_option() -> None:
    storage = CONFIG_SCHEMA["properties"]["storages"]["additionalProperties"]
    names = {
        *CONFIG_SCHEMA["properties"],
        *storage["properties"],
        *(
            name
            for verbs in schemas.VERBS.values()
            for s in verbs.values()
            for name in s["properties"]
        ),
    }
    assert [name for name in sorted(names) if name not in PAGE] == []


def test_the_table_of_a_run_replaces_the_last_ones_and_nothing_else() -> None:
    rows = [Row(("volume", "cinder", kind, "its bytes"), passed=kind != "ftp") for kind in Kind]
    first = with_table(PAGE, Run("2026-11-22", tuple(rows)))
    assert "| volume | `cinder` | `ftp` | its bytes | **failed** |\n" in first
    second = with_table(first, Run("2026-11-23", tuple(rows[:1])))
    assert "2026-11-22" not in second
    assert "| volume | `cinder` | `local` | its bytes | passed |\n" in second
    outside = [page.partition("Run of ")[0] for page in (first, second)]
    assert outside[0] == outside[1]
    assert second.endswith(PAGE.partition("## Secrets")[2])


def test_run_of_no_test_leaves_the_table_of_releases_as_it_is() -> None:
    assert releases.with_table(PAGE, Run("2030-01-01", ())) == PAGE


def test_rows_of_releases_name_pairs_and_tests_that_there_are() -> None:
    pairs = {(pair.release.version, pair.api) for pair in PAIRS}
    tests = {
        (function.__doc__ or "").rstrip(".")
        for module in (test_check, test_operations)
        for name, function in vars(module).items()
        if name.startswith("test_")
    }
    rows = releases.rows_of(PAGE)
    assert rows
    assert [row for row in rows if row.cells[:2] not in pairs or row.cells[2] not in tests] == []


def test_rows_of_a_run_replace_those_of_the_same_tests_only() -> None:
    first, *others = releases.rows_of(PAGE)
    run = Run("2030-01-01", (Row(first.cells, passed=False), Row(("1.0", "2.0", "x"), passed=True)))
    written = releases.with_table(PAGE, run)
    failed = releases.Seen(first.cells, "2030-01-01", passed=False)
    new = releases.Seen(("1.0", "2.0", "x"), "2030-01-01", passed=True)
    assert releases.rows_of(written) == sorted([new, failed, *others])
