"""Backends that are unusual and right keep the contract."""

from typing import Any

import attrs
import pytest

from karbor_backup_contract import Harness, Rule, RuleStatus, all_rules, run_rule
from karbor_backup_contract.requirements import OTHER_PROCESS
from karbor_backup_core import ManualClock
from karbor_backup_fake import FakeBackend
from karbor_backup_fake.harness import create_harness
from tests.contract.odd_backends import LaggingInventory, ReleasesSlowly, TagsLate, WritesOnce

RULES = [rule for rule in all_rules() if OTHER_PROCESS not in rule.requirements]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
@pytest.mark.parametrize("backend", [ReleasesSlowly, TagsLate])
def test_an_eventually_consistent_service_conforms(backend: Any, rule: Rule) -> None:
    result = run_rule(rule, create_harness(backend))
    assert result.status is RuleStatus.PASSED, result.reason


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_list_that_lags_is_waited_for(rule: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run_rule(rule, _create_lagging_harness(monkeypatch))
    assert result.status is RuleStatus.PASSED, result.reason


def test_backend_without_delete_gets_one_message() -> None:
    results = [run_rule(rule, create_harness(WritesOnce)) for rule in all_rules()]
    broken = {each.rule for each in results if each.status is RuleStatus.FAILED}
    assert broken == {"C-105"}


def _create_lagging_harness(monkeypatch: pytest.MonkeyPatch) -> Harness:
    harness = create_harness(FakeBackend)
    clock, inventory = harness.clock, harness.inventory
    assert clock is not None
    assert inventory is not None
    lagging = LaggingInventory(clock)
    lagging.note(inventory())
    advance = ManualClock.advance

    def advance_and_note(self: ManualClock, seconds: float) -> None:
        lagging.note(inventory())
        advance(self, seconds)

    monkeypatch.setattr(ManualClock, "advance", advance_and_note)
    return attrs.evolve(harness, inventory=lagging)
