"""The class for pytest: what an author writes, what the run tells, and that it cannot be empty."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from karbor_backup_contract import all_rules
from karbor_backup_contract.testing import ContractSuite

pytest_plugins = ["pytester"]

RunModule = Callable[..., pytest.RunResult]

HEAD = """
import attrs, pytest
from karbor_backup_contract.testing import ContractSuite
from karbor_backup_fake import FakeBackend
from karbor_backup_fake.harness import create_harness
from tests.contract.mutants.deletes import SecondDeleteFails
from tests.contract.mutants.verification import VerifiesWithoutReading
from tests.contract.mutants.description import MissingHook
"""
WITHOUT_RESOURCES = range(101, 112)
"""The rules that look at a backend's description only."""

OF_MAINTENANCE = {233, 235}
"""The rules that maintain a service with nothing in it."""

OF_ANOTHER_PROCESS = {"C-411", "C-412"}
"""The rules that need a service outside the memory of the tests."""

SUITE = """
class TestMine(ContractSuite):
    @pytest.fixture
    def harness(self):
        return {harness}
"""


@pytest.fixture
def run(pytester: pytest.Pytester, pytestconfig: pytest.Config) -> RunModule:
    """Return a function that runs a test module as an author would."""

    def run_module(text: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(HEAD + text)
        pytester.syspathinsert(pytestconfig.rootpath)
        return pytester.runpytest("-q", *options)

    return run_module


def test_conformant_backend_is_reported_on_screen_and_in_the_file(
    run: RunModule, tmp_path: Path
) -> None:
    result = run(
        SUITE.format(harness="create_harness(FakeBackend, work_limit=2)"),
        "--contract-report",
        str(tmp_path / "out"),
    )
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "fake * (Mine): conformant to contract 1.1: * of * rules tried (* passed), 2 skipped",
            "  skipped C-411, C-412: the harness has no backend_factory",
        ]
    )
    (report,) = json.loads((tmp_path / "out" / "conformance.json").read_text())
    assert report["conformant"] is True
    skipped = {rule["id"] for rule in report["rules"] if rule["status"] == "skipped"}
    assert skipped == OF_ANOTHER_PROCESS
    assert {rule["status"] for rule in report["rules"]} == {"passed", "skipped"}
    assert report["backend"]["name"] == "fake"
    assert "conformant" in (tmp_path / "out" / "conformance.html").read_text()


def test_broken_rule_fails_and_reports_the_observation(run: RunModule) -> None:
    result = run(SUITE.format(harness="create_harness(SecondDeleteFails, work_limit=2)"))
    # C-216, C-705 and C-707 too delete what a delete has removed.
    skipped = len(OF_ANOTHER_PROCESS)
    result.assert_outcomes(failed=4, passed=len(all_rules()) - 4 - skipped, skipped=skipped)
    result.stdout.fnmatch_lines(["fake *: NOT conformant *", "*C-205 failed: *no such copy*"])


def test_a_mandatory_rule_that_cannot_be_tried_fails(run: RunModule) -> None:
    harness = "attrs.evolve(create_harness(FakeBackend), inventory=None)"
    result = run(SUITE.format(harness=harness), "-k", "C-109 or C-207")
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["*C-109 is mandatory, and cannot be tried: *no inventory*"])


def test_another_rule_that_cannot_be_tried_is_skipped(run: RunModule) -> None:
    harness = "attrs.evolve(create_harness(FakeBackend), faults={})"
    result = run(SUITE.format(harness=harness), "-k", "C-601", "-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*the harness has no fault FAIL*"])


def test_rules_that_were_left_out_are_not_conformance(run: RunModule) -> None:
    result = run(SUITE.format(harness="create_harness(FakeBackend)"), "-k", "C-101")
    assert result.ret == 0
    result.stdout.fnmatch_lines(["fake *: NOT *", "*mandatory rules were not run"])


def test_an_expected_failure_is_not_conformance_and_must_fail(run: RunModule) -> None:
    evolved = 'attrs.evolve(create_harness({cls}), expected_failures={{"C-205": "known"}})'
    result = run(
        SUITE.format(harness=evolved.format(cls="SecondDeleteFails")), "-k", "C-205 or C-101"
    )
    result.assert_outcomes(xfailed=1, passed=1)
    result.stdout.fnmatch_lines(["*C-205 failed as expected: known"])


def test_an_expected_failure_that_passes_is_a_failure(run: RunModule) -> None:
    harness = 'attrs.evolve(create_harness(FakeBackend), expected_failures={"C-205": "known"})'
    result = run(SUITE.format(harness=harness), "-k", "C-205")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*take it off expected_failures*"])


def test_expected_failure_of_an_unknown_rule_is_reported(run: RunModule) -> None:
    harness = 'attrs.evolve(create_harness(FakeBackend), expected_failures={"C-999": "what?"})'
    result = run(SUITE.format(harness=harness), "-k", "C-101")
    result.stdout.fnmatch_lines(["*expected_failures names no rule: C-999*"])


def test_a_backend_that_is_not_taken_fails_every_mandatory_rule(run: RunModule) -> None:
    result = run(
        SUITE.format(harness="create_harness(MissingHook)"), "-k", "C-101 or C-102 or C-207"
    )
    result.assert_outcomes(failed=2, skipped=1)
    result.stdout.fnmatch_lines(["MissingHook unknown *: NOT conformant *", "*verify is missing*"])


def test_a_suite_without_a_bench_is_no_success(run: RunModule) -> None:
    result = run("class TestMine(ContractSuite): pass", "-k", "C-101")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*fixture 'harness' not found*"])


def test_a_bench_that_breaks_is_no_success(run: RunModule) -> None:
    result = run(SUITE.format(harness="1 / 0"), "-k", "C-101")
    result.assert_outcomes(errors=1)


def test_results_come_from_other_processes_too(run: RunModule) -> None:
    result = run(SUITE.format(harness="create_harness(SecondDeleteFails)"), "-n", "2", "-k", "C-2")
    result.stdout.fnmatch_lines(["*C-205 failed: *no such copy*"])


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("Contract", {}),
        ("TestContract", {"__test__": False}),
        ("TestContract", {"test_rule": lambda _: None}),
    ],
)
def test_parameters_that_pytest_would_ignore_are_refused(
    name: str, attributes: dict[str, object]
) -> None:
    with pytest.raises(TypeError, match=name):
        type(name, (ContractSuite,), attributes)


def test_a_bench_that_makes_nothing_keeps_no_rule_by_doing_nothing(run: RunModule) -> None:
    result = run(
        SUITE.format(
            harness="attrs.evolve("
            "create_harness(FakeBackend), resource_types=(), compound_types=())"
        ),
        "-rp",
    )
    passed = {
        int(line.split("test_rule[C-")[-1][:3])
        for line in result.outlines
        if line.startswith("PASSED")
    }
    assert passed <= {*WITHOUT_RESOURCES, *OF_MAINTENANCE}


def test_failure_shows_the_rule_and_its_reason(run: RunModule) -> None:
    result = run(SUITE.format(harness="create_harness(SecondDeleteFails)"), "-k", "C-205")
    (rule,) = (rule for rule in all_rules() if rule.id == "C-205")
    result.stdout.fnmatch_lines([f"*C-205: {rule.statement}", f"*Why: {rule.reason}"])
    result.stdout.fnmatch_lines([f"*test_rule[[]C-205-{rule.name}]*"])


def test_rules_that_were_not_run_make_one_line(run: RunModule) -> None:
    result = run(SUITE.format(harness="create_harness(FakeBackend)"), "-k", "C-205")
    mandatory = sum(rule.mandatory for rule in all_rules())
    result.stdout.fnmatch_lines([f"  {mandatory - 1} mandatory rules were not run"])
    assert not [line for line in result.outlines if "was skipped: it was not run" in line]
