"""Backends that are unusual and right keep the contract."""

import gc
import warnings
from typing import Any, Final

import attrs
import pytest

from karbor_backup_contract import Fault, Harness, Rule, RuleStatus, all_rules, run_rule
from karbor_backup_contract._context import RuleContext
from karbor_backup_contract.requirements import OTHER_PROCESS, WORK_LIMIT, requires_fault
from karbor_backup_core import Json, ManualClock
from karbor_backup_fake import FakeBackend, FakeCloud
from karbor_backup_fake.harness import create_harness
from tests.contract.odd_backends import (
    IgnoresCancels,
    KeepsFileOpen,
    KeepsLongReceipts,
    LaggingInventory,
    ReleasesSlowly,
    ReturnsToFreeIds,
    TagsLate,
    TakesManyPhases,
    TellsLittle,
    WorksAtOnce,
    WorksOneAtATime,
    WritesOnce,
    find_restored,
)

_LEFT_OUT: Final[dict[type, tuple[Fault, ...]]] = {
    IgnoresCancels: (Fault.STALL,),
    TakesManyPhases: (Fault.FAIL_CLEANUP,),
    WorksAtOnce: (Fault.LOSE_WORK, Fault.IGNORES_CANCEL),
}
_LIMIT: Final = 2
RULES = [rule for rule in all_rules() if OTHER_PROCESS not in rule.requirements]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
@pytest.mark.parametrize("backend", [ReleasesSlowly, TagsLate])
def test_an_eventually_consistent_service_conforms(backend: Any, rule: Rule) -> None:
    result = run_rule(rule, create_harness(backend, work_limit=_LIMIT))
    assert result.status is RuleStatus.PASSED, result.reason


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_list_that_lags_is_waited_for(rule: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run_rule(rule, _create_lagging_harness(monkeypatch))
    assert result.status is RuleStatus.PASSED, result.reason


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
@pytest.mark.parametrize(
    "backend",
    [
        WorksAtOnce,
        WorksOneAtATime,
        TakesManyPhases,
        IgnoresCancels,
        KeepsLongReceipts,
        ReturnsToFreeIds,
        TellsLittle,
    ],
)
def test_an_odd_backend_conforms(backend: Any, rule: Rule) -> None:
    result = run_rule(rule, _create_odd_harness(backend))
    assert result.status is RuleStatus.PASSED or _is_left_out(backend, rule), result.reason


def test_copy_that_is_cancelled_before_its_work_begins_conforms(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # As where a service takes work up late: the cancel comes first, and the fault meets nothing.
    monkeypatch.setattr(RuleContext, "start", RuleContext.plan)
    (rule,) = (rule for rule in RULES if rule.id == "C-247")
    result = run_rule(rule, create_harness(FakeBackend))
    assert result.status is RuleStatus.PASSED, result.reason


def test_files_that_a_dead_call_left_open_trouble_no_later_test() -> None:
    gc.collect()
    (rule,) = (rule for rule in RULES if rule.id == "C-413")
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        result = run_rule(rule, create_harness(KeepsFileOpen))
        gc.collect()
    assert result.status is RuleStatus.PASSED, result.reason
    assert seen == []
    assert gc.isenabled()


def test_backend_without_delete_gets_one_message() -> None:
    results = [run_rule(rule, create_harness(WritesOnce)) for rule in all_rules()]
    broken = {each.rule for each in results if each.status is RuleStatus.FAILED}
    assert broken == {"C-105"}


def _is_left_out(backend: Any, rule: Rule) -> bool:
    """Return whether a rule needs what a backend or the harness for it cannot offer."""
    if backend is not WorksOneAtATime and WORK_LIMIT in rule.requirements:
        return True
    faults = {requires_fault(each).description for each in _LEFT_OUT.get(backend, ())}
    return any(need.description in faults for need in rule.requirements)


def _create_odd_harness(backend: Any) -> Harness:
    """Return a harness without what the service of an odd backend cannot be made to do."""
    clouds: list[FakeCloud] = []

    def make(configuration: Json, *, cloud: FakeCloud) -> Any:
        clouds.append(cloud)
        return backend(configuration, cloud=cloud)

    harness = create_harness(make)
    faults = {
        fault: inject
        for fault, inject in harness.faults.items()
        if fault not in _LEFT_OUT.get(backend, ())
    }
    return attrs.evolve(
        harness,
        faults=faults,
        find_restored=lambda operation: next(find_restored(clouds[0], operation)),
    )


def _create_lagging_harness(monkeypatch: pytest.MonkeyPatch) -> Harness:
    harness = create_harness(FakeBackend, work_limit=_LIMIT)
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
