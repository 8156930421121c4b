"""Every rule is broken by a backend made to break it, and as few others as can be."""

import os
import threading
from collections.abc import Iterator

import pytest

from karbor_backup_contract import Rule, RuleStatus, all_rules, run_rule
from tests.contract.mutants.registry import Mutant, all_mutants
from tests.contract.mutants.runtime import (
    LeaksSockets,
    LeaksThreads,
    LeavesChildren,
)


@pytest.fixture(autouse=True)
def _close_leaks() -> Iterator[None]:
    umask = os.umask(0o022)
    os.umask(umask)
    yield
    os.umask(umask)
    os.environ.pop("CONTRACT_CANARY", None)
    while LeavesChildren.started:
        os.waitpid(LeavesChildren.started.pop(), 0)
    LeaksThreads.over.set()
    LeaksThreads.over = threading.Event()
    while LeaksSockets.opened:
        LeaksSockets.opened.pop().close()


@pytest.mark.parametrize("mutant", all_mutants(), ids=lambda mutant: mutant.name)
def test_mutant_breaks_exactly_its_rules(mutant: Mutant) -> None:
    verdicts = [run_rule(rule, mutant.create_harness(mutant.make)) for rule in mutant.rules()]
    broken = {each.rule: each.reason for each in verdicts if each.status is RuleStatus.FAILED}
    assert broken.keys() == {mutant.breaks, *mutant.also_breaks}, broken


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.id)
def test_every_rule_has_a_mutant(rule: Rule) -> None:
    assert rule.id in {mutant.breaks for mutant in all_mutants()}
