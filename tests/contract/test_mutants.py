"""Every rule is broken by a backend made to break it, and as few others as can be."""

import threading
from collections.abc import Iterator

import pytest

from karbor_backup_core.contract import Rule, Status, all_rules, judge
from karbor_backup_fake.bench import bench
from tests.contract.mutants.registry import Mutant, all_mutants
from tests.contract.mutants.resources import LeavesSockets, LeavesThreads


@pytest.fixture(autouse=True)
def _nothing_stays() -> Iterator[None]:
    yield
    LeavesThreads.over.set()
    LeavesThreads.over = threading.Event()
    while LeavesSockets.opened:
        LeavesSockets.opened.pop().close()


@pytest.mark.parametrize("mutant", all_mutants(), ids=lambda mutant: mutant.name)
def test_a_mutant_breaks_its_rule_and_no_other_that_it_could_keep(mutant: Mutant) -> None:
    verdicts = [judge(rule, bench(mutant.make)) for rule in all_rules()]
    broken = {each.rule: each.reason for each in verdicts if each.status is Status.FAILED}
    assert broken.keys() == {mutant.breaks, *mutant.also}, broken


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.id)
def test_every_rule_has_a_mutant(rule: Rule) -> None:
    assert rule.id in {mutant.breaks for mutant in all_mutants()}
