"""Measures what the whole suite costs on the fake backend, in one process.

Run ``python -m tests.contract.measure``. It prints processor time, which other processes lengthen
less than they do the time on a clock: the total, and the rules that cost most.
"""

import sys
import time
from collections.abc import Iterable, Mapping
from typing import Final

from karbor_backup_contract import Rule, RuleStatus, all_rules, run_rule
from karbor_backup_fake import FakeBackend
from karbor_backup_fake.harness import create_harness

_SHOWN: Final = 10


def measure_rules(rules: Iterable[Rule]) -> Mapping[str, float]:
    """Return the seconds of processor time that each rule takes, by its id.

    Raises:
        RuntimeError: the backend breaks a rule.
    """
    seconds: dict[str, float] = {}
    for rule in rules:
        harness = create_harness(FakeBackend)
        started = time.process_time()
        result = run_rule(rule, harness)
        seconds[rule.id] = time.process_time() - started
        if result.status not in (RuleStatus.PASSED, RuleStatus.SKIPPED):
            raise RuntimeError(f"{rule.id} {result.status}: {result.reason}")
    return seconds


def describe(seconds: Mapping[str, float]) -> str:
    """Return a line for the total, and one for each of the rules that cost most."""
    slowest = sorted(seconds.items(), key=lambda each: each[1], reverse=True)[:_SHOWN]
    total = f"{len(seconds)} rules: {sum(seconds.values()):.2f} s"
    return "\n".join([total, *(f"  {rule}  {spent:.2f} s" for rule, spent in slowest)])


if __name__ == "__main__":
    sys.stdout.write(f"{describe(measure_rules(all_rules()))}\n")
