"""What operators read of the Cinder backend is what the tests have seen."""

from collections.abc import Mapping

import pytest

from tests.e2e.cloud.cinder_cases import SERVER_CASES, VOLUME_CASES, Look
from tests.e2e.cloud.cinder_table import PAGE, SERVERS, VOLUMES, Table

TEXT = PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize(("table", "cases"), [(VOLUMES, VOLUME_CASES), (SERVERS, SERVER_CASES)])
def test_page_has_a_row_of_every_case(table: Table, cases: Mapping[str, Look]) -> None:
    begin = f"<!-- {table.subject}: written by tests/e2e/cloud/cinder_table.py -->"
    shown = TEXT.partition(begin)[2].partition(f"<!-- end of {table.subject} -->")[0]
    rows = [line.split("|")[1].strip() for line in shown.splitlines() if line.startswith("|")]
    assert rows[2:] == [*cases]


def test_table_of_servers_replaces_the_previous_one_only() -> None:
    written = SERVERS.insert(TEXT, [("tags", "yes"), ("id", "no")])
    assert "| of a server | the new server |\n|---|---|\n| tags | yes |\n| id | no |\n" in written
    assert "| flavor |" not in written
    end = "<!-- end of servers -->"
    assert written.partition(end)[2] == TEXT.partition(end)[2] != ""
    head = "| of a server |"
    assert written.partition(head)[0] == TEXT.partition(head)[0]
