"""docs/reference/karbor-specification.md names a test for each sentence of the specification."""

import re
import tomllib
from pathlib import Path

from tests.karbor_glue.scenario_runner import list_test_functions

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "karbor-specification.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def table_rows() -> list[list[str]]:
    """Return the rows of the table, without its head."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_each_sentence_names_existing_tests() -> None:
    table = table_rows()
    assert len(table) > 20
    missing = []
    for sentence, here, shown_by in table:
        assert sentence
        assert here
        named = NAMED.findall(shown_by)
        assert named, f"no test shows: {sentence}"
        missing += [
            f"{file}::{test}"
            for file, test in named
            if not (ROOT / file).exists() or test not in list_test_functions(ROOT / file)
        ]
    assert missing == []


def test_the_entry_points_of_the_plugins_are_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = project["entry-points"]["karbor.protections"]
    assert declared["karbor-freezer-protection-plugin"].endswith(":FreezerProtectionPlugin")
    assert declared["karbor-fake-protection-plugin"].endswith(":FakeProtectionPlugin")
    assert declared["karbor-cinder-protection-plugin"].endswith(":CinderProtectionPlugin")
    assert declared["karbor-backup-protection-plugin"].endswith(":BackupProtectionPlugin")
