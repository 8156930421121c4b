"""What operators read is what the code does."""

from pathlib import Path

import pytest

from karbor_backup_freezer import schemas
from karbor_backup_freezer.agent.compatibility import NEWEST_TESTED, restore_support
from karbor_backup_freezer.config import CONFIG_SCHEMA
from karbor_backup_freezer.model.resource_types import DIRECTORY
from karbor_backup_freezer.model.storages import StorageKind
from karbor_backup_openstack.resource_types import SERVER, VOLUME
from tests.e2e.cloud.table import insert_table
from tests.e2e.freezer import directory_table
from tests.e2e.releases import table as releases
from tests.e2e.releases import test_check, test_operations
from tests.e2e.releases.conftest import PAIRS
from tests.support.result_tables import ResultRow, ResultRun

_REFERENCE = Path(__file__).parents[3] / "docs" / "reference"
OPTIONS_PAGE = (_REFERENCE / "freezer.md").read_text()
PAGE = (_REFERENCE / "freezer-support.md").read_text()


@pytest.mark.parametrize("kind", StorageKind)
def test_page_shows_the_restore_support_table(kind: StorageKind) -> None:
    section = PAGE.partition("## Storages")[2].partition("\n## ")[0]
    (row,) = [line for line in section.splitlines() if line.startswith(f"| `{kind}` ")]
    cells = [cell.strip() for cell in row.strip("|").split("|")][1:]
    shown = [cell.startswith("yes") for cell in cells]
    columns = (DIRECTORY, SERVER, VOLUME)
    assert shown == [restore_support(NEWEST_TESTED, column, kind).restorable for column in columns]


def test_the_page_names_every_key_and_option() -> None:
    storage = CONFIG_SCHEMA["properties"]["storages"]["additionalProperties"]
    names = {
        *CONFIG_SCHEMA["properties"],
        *storage["properties"],
        *(
            name
            for verbs in schemas.SCHEMAS_BY_TYPE.values()
            for s in verbs.values()
            for name in s["properties"]
        ),
    }
    assert [name for name in sorted(names) if f"`{name}`" not in OPTIONS_PAGE] == []


def test_table_of_a_run_replaces_the_previous_one_only() -> None:
    rows = [
        ResultRow(("volume", "cinder", kind, "its bytes"), passed=kind != "ftp")
        for kind in StorageKind
    ]
    first = insert_table(PAGE, ResultRun("2026-11-22", tuple(rows)))
    assert "| volume | `cinder` | `ftp` | its bytes | **failed** |\n" in first
    second = insert_table(first, ResultRun("2026-11-23", tuple(rows[:1])))
    assert "2026-11-22" not in second
    assert "| volume | `cinder` | `local` | its bytes | passed |\n" in second
    outside = [page.partition("Run of ")[0] for page in (first, second)]
    assert outside[0] == outside[1]
    assert second.endswith(PAGE.partition("<!-- end of what was seen -->")[2])


def test_run_of_no_test_leaves_the_table_of_releases_as_it_is() -> None:
    assert releases.insert_table(PAGE, ResultRun("2030-01-01", ())) == PAGE


def test_rows_of_releases_name_existing_pairs_and_tests() -> None:
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
    run = ResultRun(
        "2030-01-01",
        (ResultRow(first.cells, passed=False), ResultRow(("1.0", "2.0", "x"), passed=True)),
    )
    written = releases.insert_table(PAGE, run)
    failed = releases.Seen(first.cells, "2030-01-01", passed=False)
    new = releases.Seen(("1.0", "2.0", "x"), "2030-01-01", passed=True)
    assert releases.rows_of(written) == sorted([new, failed, *others])


def test_table_of_directories_replaces_the_previous_one_only() -> None:
    rows = [("files", True, ""), ("sockets", False, "directory's contents")]
    written = directory_table.insert_table(PAGE, rows)
    assert "| files | yes |  |\n| sockets | no | `directory's contents` |\n" in written
    assert "| empty files |" not in written
    end = "<!-- end of directories -->"
    assert written.partition(end)[2] == PAGE.partition(end)[2] != ""
    assert written.partition("| of a directory |")[0] == PAGE.partition("| of a directory |")[0]
