"""The verdicts together: what makes a backend conformant, the document, and the page."""

import re

import attrs
import pytest

from karbor_backup_contract import (
    Fault,
    Harness,
    Report,
    Rule,
    RuleResult,
    RuleStatus,
    all_rules,
    run_rule,
)
from karbor_backup_contract._html_report import render_html
from karbor_backup_fake import FakeBackend
from karbor_backup_fake.harness import create_harness
from tests.contract.mutants.deletes import SecondDeleteFails

BACKEND = ("mine", "1", "1.0")
PASSED = [RuleResult(rule.id, RuleStatus.PASSED) for rule in all_rules()]
MANDATORY = next(rule.id for rule in all_rules() if rule.mandatory)
OPTIONAL = next(rule.id for rule in all_rules() if not rule.mandatory)


def build_report(*others: RuleResult) -> Report:
    """Return a report in which all rules passed but these."""
    return Report.from_results(BACKEND, [*PASSED, *others])


def find_rule(identifier: str) -> Rule:
    return next(rule for rule in all_rules() if rule.id == identifier)


@pytest.mark.parametrize(
    ("verdict", "conformant"),
    [
        (RuleResult(OPTIONAL, RuleStatus.SKIPPED, "why"), True),
        (RuleResult(MANDATORY, RuleStatus.SKIPPED, "why"), False),
        (RuleResult(OPTIONAL, RuleStatus.FAILED, "why"), False),
        (RuleResult(MANDATORY, RuleStatus.FAILED, "why"), False),
        (RuleResult(OPTIONAL, RuleStatus.EXPECTED_FAILURE, "why"), False),
    ],
    ids=str,
)
def test_nonconformities_are_listed(verdict: RuleResult, *, conformant: bool) -> None:
    made = build_report(verdict)
    assert made.conformant is conformant
    against = [line for line in made.nonconformities() if verdict.rule in line and "why" in line]
    assert len(against) == int(not conformant)


def test_rules_skipped_for_the_same_reason_share_a_line() -> None:
    optional = [rule.id for rule in all_rules() if not rule.mandatory][:2]
    mandatory = [rule.id for rule in all_rules() if rule.mandatory][:2]
    skipped = [RuleResult(rule, RuleStatus.SKIPPED, "why") for rule in optional + mandatory]
    made = build_report(*skipped)
    assert made.details() == [
        f"{', '.join(mandatory)} are mandatory and were skipped: why",
        f"skipped {', '.join(optional)}: why",
    ]
    total = len(all_rules())
    assert f"{total - 4} of {total} rules tried ({total - 4} passed), 4 skipped" in made.summary()
    assert made.document()["tried"] == total - 4
    (reason,) = made.document()["skipped"]
    assert reason["reason"] == "why"
    assert set(reason["rules"]) == {*optional, *mandatory}
    page = render_html([made])
    assert "Why rules were skipped" in page
    assert "Why rules were skipped" not in render_html([build_report()])


def test_a_rule_that_was_not_run_is_skipped() -> None:
    made = Report.from_results(BACKEND, PASSED[1:])
    assert made.results[0] == RuleResult(PASSED[0].rule, RuleStatus.SKIPPED, "it was not run")
    assert not made.conformant


def test_the_page_has_every_rule_and_needs_nothing_else() -> None:
    strange = Report.from_results(("<script>alert(1)</script>", "1", "1.0"), PASSED)
    page = render_html(
        [build_report(RuleResult(MANDATORY, RuleStatus.FAILED, "<b>seen</b>")), strange]
    )
    assert all(f'id="{rule.id}"' in page for rule in all_rules())
    assert "<script" not in page
    assert "&lt;b&gt;seen&lt;/b&gt;" in page
    assert not re.search(r"https?://|\bsrc=|<link|@import|url\(", page)


def test_the_page_of_nothing_is_a_page() -> None:
    assert "</html>" in render_html([])


@pytest.mark.parametrize(
    ("lacking", "rule", "reason"),
    [
        ({"inventory": None}, "C-401", "the harness has no inventory"),
        ({"faults": {}}, "C-402", f"the harness has no fault {Fault.LOSE_REPLY.name}"),
        (
            {"create_backend_in_other_scope": None},
            "C-108",
            "the harness has no create_backend_in_other_scope",
        ),
        ({"secrets": ()}, "C-901", "the harness has no secrets"),
        ({"compound_types": ()}, "C-210", "the harness has no compound_types"),
        ({"multi_phase_verbs": ()}, "C-405", "the harness has no multi_phase_verbs"),
    ],
)
def test_missing_levers_of_a_harness_are_named(
    lacking: dict[str, object], rule: str, reason: str
) -> None:
    less: Harness = attrs.evolve(create_harness(FakeBackend), **lacking)  # type: ignore[arg-type]
    assert run_rule(find_rule(rule), less) == RuleResult(rule, RuleStatus.SKIPPED, reason)


def test_fault_that_never_fired_is_reported() -> None:
    stuck = attrs.evolve(create_harness(FakeBackend), pending_faults=lambda: ["a fault"])
    verdict = run_rule(find_rule("C-202"), stuck)
    assert verdict.status is RuleStatus.FAILED
    assert "a fault" in verdict.reason


def test_expected_failure_is_distinguished_from_an_unexpected_one() -> None:
    expecting = attrs.evolve(
        create_harness(SecondDeleteFails), expected_failures={"C-205": "known"}
    )
    assert run_rule(find_rule("C-205"), expecting) == RuleResult(
        "C-205", RuleStatus.EXPECTED_FAILURE, "known"
    )
    passing = attrs.evolve(create_harness(FakeBackend), expected_failures={"C-205": "known"})
    assert run_rule(find_rule("C-205"), passing).status is RuleStatus.FAILED


def test_leftovers_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    run_rule(find_rule("C-205"), create_harness(SecondDeleteFails), cleanup=True)
    assert caplog.text == ""
    broken = attrs.evolve(
        create_harness(FakeBackend),
        resources=UndeletableResources(create_harness(FakeBackend).resources),
    )
    run_rule(find_rule("C-205"), broken, cleanup=True)
    assert "could not be removed: it clings" in caplog.text


@attrs.frozen
class UndeletableResources:
    """Resources that cannot be removed."""

    wrapped: object

    def __getattr__(self, name: str) -> object:
        return getattr(self.wrapped, name)

    def delete(self, _: object) -> None:
        raise OSError("it clings")
