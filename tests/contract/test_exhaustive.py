"""What tries one point of a hook after another tries a sample, or each one if it is asked to."""

from types import SimpleNamespace
from typing import Any

import attrs
import pytest

from karbor_backup_contract import Rule, RuleStatus, all_rules, run_rule
from karbor_backup_contract._disturbed_lives import sample_points
from karbor_backup_contract.testing import ContractSuite
from karbor_backup_fake import FakeBackend
from karbor_backup_fake.harness import create_harness


@pytest.mark.parametrize("exhaustive", [True, False])
def test_option_makes_harnesses_exhaustive(*, exhaustive: bool) -> None:
    seen = []
    rule = Rule("C-000", "", "", lambda context: seen.append(context.harness.exhaustive))
    config: Any = SimpleNamespace(getoption={"contract_exhaustive": exhaustive}.__getitem__)
    harness = create_harness(FakeBackend)
    ContractSuite().test_rule(rule, harness, lambda *_: None, config)
    assert seen == [exhaustive]


def test_sample_is_densest_at_the_first_points() -> None:
    assert list(sample_points(10, exhaustive=True)) == list(range(1, 11))
    assert list(sample_points(10, exhaustive=False)) == [1, 2, 3, 5, 8]


@pytest.mark.parametrize("identifier", ["C-410", "C-501", "C-610", "C-611"])
def test_fake_keeps_the_rules_in_their_exhaustive_form(identifier: str) -> None:
    rule = next(rule for rule in all_rules() if rule.id == identifier)
    result = run_rule(rule, attrs.evolve(create_harness(FakeBackend), exhaustive=True))
    assert result.status is RuleStatus.PASSED, result.reason
