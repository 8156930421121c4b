"""What operators read is what the code does."""

from pathlib import Path

import pytest

from karbor_backup_freezer import schemas
from karbor_backup_freezer.config import CONFIG_SCHEMA
from karbor_backup_freezer.resources import DIRECTORY, SERVER, VOLUME
from karbor_backup_freezer.restorable import NEWEST, verdict
from karbor_backup_freezer.storages import Kind

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
        *schemas.PROTECT["properties"],
        *schemas.RESTORE_DIRECTORY["properties"],
    }
    assert [name for name in sorted(names) if name not in PAGE] == []
