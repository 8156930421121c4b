"""A soak tells what failed, what was cut short, and what did not run."""

import json
import time
from pathlib import Path

import pytest

from tests.soak.report import list_not_run, write_report
from tests.soak.soak import run_suite, soak
from tests.soak.suites import SUITES, Suite

_LONG = 600.0

_ENDLESS = "import threading\ndef test(): threading.Event().wait()"
"""Whoever is late to end it finds it unended."""


@pytest.fixture(autouse=True)
def _isolated_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = tmp_path / "pytest.ini"
    settings.write_text("[pytest]\n")
    monkeypatch.setenv("PYTEST_ADDOPTS", f"--rootdir={tmp_path} -c {settings}")


def make_suite(folder: Path, source: str) -> Suite:
    file = folder / "test_attack.py"
    file.write_text(source)
    return Suite("this", (str(file),))


def test_every_attack_runs_once_when_the_time_is_over(tmp_path: Path) -> None:
    attacks = [make_suite(tmp_path, "def test(): pass")]
    assert soak(attacks, time.monotonic(), tmp_path) == 0
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["not_run"] == []
    assert [run["tests"] for run in report["runs"]] == [1]
    assert (
        "1 of 1 attacks ran: 1 runs, 1 tests, 0 runs failed."
        in (tmp_path / "report.md").read_text()
    )


def test_attack_ended_before_its_first_test_fails_the_soak(tmp_path: Path) -> None:
    attacks = [make_suite(tmp_path, _ENDLESS)]
    assert soak(attacks, time.monotonic(), tmp_path, least=0.0) == 1
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["not_run"] == ["this"]
    assert "## Not run\n\n- this" in (tmp_path / "report.md").read_text()


@pytest.mark.parametrize(
    ("source", "failed"),
    [
        ("", True),
        ("import pytest\ndef test(): pytest.skip()", False),
        ("import nothing_of_that_name", True),
    ],
)
def test_attack_of_which_no_test_ran_is_reported_as_not_run(
    tmp_path: Path, source: str, *, failed: bool
) -> None:
    attacks = [make_suite(tmp_path, source)]
    run = run_suite(attacks[0], _LONG)
    assert run.failed is failed
    assert list_not_run(attacks, [run]) == ["this"]


def test_failure_is_reported_with_its_seed_and_output(tmp_path: Path) -> None:
    attacks = [make_suite(tmp_path, "def test_a(): pass\ndef test_b(): assert 0, 'the reason'")]
    run = run_suite(attacks[0], _LONG)
    assert (run.failed, run.tests, run.cut_short) == (True, 2, False)
    write_report(tmp_path, attacks, [run])
    page = (tmp_path / "report.md").read_text()
    assert f"## this, seed {run.seed}" in page
    assert "the reason" in page
    assert "Not run" not in page


def test_attack_without_time_is_neither_failed_nor_run(tmp_path: Path) -> None:
    attacks = [make_suite(tmp_path, _ENDLESS)]
    run = run_suite(attacks[0], 0.0)
    assert (run.failed, run.tests, run.cut_short) == (False, 0, True)
    assert list_not_run(attacks, [run]) == ["this"]


def test_every_attack_selects_existing_tests() -> None:
    assert len({each.name for each in SUITES}) == len(SUITES)
    for each in SUITES:
        assert all(Path(test).exists() for test in each.tests if test.startswith("tests/"))
