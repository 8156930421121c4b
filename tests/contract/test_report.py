"""The verdicts together: what makes a backend conformant, the document, and the page."""

import re

import attrs
import pytest

from karbor_backup_core.contract import (
    Bench,
    Fault,
    Report,
    Rule,
    Status,
    Verdict,
    all_rules,
    judge,
)
from karbor_backup_core.contract.page import render
from karbor_backup_fake.bench import bench
from tests.contract.mutants.verbs import DeletesOnce

WHO = ("mine", "1", "1.0")
PASSED = [Verdict(rule.id, Status.PASSED) for rule in all_rules()]
MANDATORY = next(rule.id for rule in all_rules() if rule.mandatory)
OPTIONAL = next(rule.id for rule in all_rules() if not rule.mandatory)


def report(*others: Verdict) -> Report:
    """Answer a report in which all rules passed but these."""
    return Report.of(WHO, [*PASSED, *others])


def rule_of(identifier: str) -> Rule:
    return next(rule for rule in all_rules() if rule.id == identifier)


@pytest.mark.parametrize(
    ("verdict", "conformant"),
    [
        (Verdict(OPTIONAL, Status.SKIPPED, "why"), True),
        (Verdict(MANDATORY, Status.SKIPPED, "why"), False),
        (Verdict(OPTIONAL, Status.FAILED, "why"), False),
        (Verdict(MANDATORY, Status.FAILED, "why"), False),
        (Verdict(OPTIONAL, Status.EXPECTED, "why"), False),
    ],
    ids=str,
)
def test_what_stands_against_conformance(verdict: Verdict, *, conformant: bool) -> None:
    made = report(verdict)
    assert made.conformant is conformant
    against = [line for line in made.against() if verdict.rule in line and "why" in line]
    assert len(against) == int(not conformant)


def test_a_rule_that_was_not_run_is_skipped() -> None:
    made = Report.of(WHO, PASSED[1:])
    assert made.verdicts[0] == Verdict(PASSED[0].rule, Status.SKIPPED, "it was not run")
    assert not made.conformant


def test_the_page_has_every_rule_and_needs_nothing_else() -> None:
    strange = Report.of(("<script>alert(1)</script>", "1", "1.0"), PASSED)
    page = render([report(Verdict(MANDATORY, Status.FAILED, "<b>seen</b>")), strange])
    assert all(f'id="{rule.id}"' in page for rule in all_rules())
    assert "<script" not in page
    assert "&lt;b&gt;seen&lt;/b&gt;" in page
    assert not re.search(r"https?://|\bsrc=|<link|@import|url\(", page)


def test_the_page_of_nothing_is_a_page() -> None:
    assert "</html>" in render([])


@pytest.mark.parametrize(
    ("lacking", "rule", "reason"),
    [
        ({"holdings": None}, "C-401", "the bench has no holdings"),
        ({"faults": {}}, "C-402", f"the bench has no fault {Fault.LOSE_REPLY.name}"),
        ({"elsewhere": None}, "C-108", "the bench has no elsewhere"),
        ({"secrets": ()}, "C-901", "the bench has no secrets"),
        ({"compound": ()}, "C-210", "the bench has no compound"),
        ({"phased": ()}, "C-405", "the bench has no phased"),
    ],
)
def test_what_a_bench_lacks_is_said(lacking: dict[str, object], rule: str, reason: str) -> None:
    less: Bench = attrs.evolve(bench(), **lacking)  # type: ignore[arg-type]
    assert judge(rule_of(rule), less) == Verdict(rule, Status.SKIPPED, reason)


def test_a_fault_that_never_happened_is_told() -> None:
    stuck = attrs.evolve(bench(), unfired=lambda: ["a fault"])
    verdict = judge(rule_of("C-202"), stuck)
    assert verdict.status is Status.FAILED
    assert "a fault" in verdict.reason


def test_an_expected_failure_is_told_from_an_unexpected_one() -> None:
    expecting = attrs.evolve(bench(DeletesOnce), expected_failures={"C-205": "known"})
    assert judge(rule_of("C-205"), expecting) == Verdict("C-205", Status.EXPECTED, "known")
    passing = attrs.evolve(bench(), expected_failures={"C-205": "known"})
    assert judge(rule_of("C-205"), passing).status is Status.FAILED


def test_what_could_not_be_removed_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    judge(rule_of("C-205"), bench(DeletesOnce), tidy=True)
    assert caplog.text == ""
    broken = attrs.evolve(bench(), resources=Clinging(bench().resources))
    judge(rule_of("C-205"), broken, tidy=True)
    assert "could not be removed: it clings" in caplog.text


@attrs.frozen
class Clinging:
    """Resources that cannot be removed."""

    kept: object

    def __getattr__(self, name: str) -> object:
        return getattr(self.kept, name)

    def remove(self, _: object) -> None:
        raise OSError("it clings")
