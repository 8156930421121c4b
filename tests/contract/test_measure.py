"""The time of the suite on the fake backend is measured of rules that hold."""

import pytest

from karbor_backup_contract import Rule, all_rules
from tests.contract.measure import describe, measure_rules


def test_each_rule_is_measured() -> None:
    rules = all_rules()[:2]
    seconds = measure_rules(rules)
    assert list(seconds) == [rule.id for rule in rules]
    assert all(spent > 0 for spent in seconds.values())


def test_total_comes_first_and_the_slowest_rules_follow() -> None:
    seconds = {f"C-{number}": number / 100 for number in range(101, 113)}
    first, *others = describe(seconds).splitlines()
    assert first == "12 rules: 12.78 s"
    assert [line.split()[0] for line in others] == [f"C-{n}" for n in range(112, 102, -1)]


def test_rule_that_is_broken_is_not_measured() -> None:
    def broken(_context: object) -> None:
        raise AssertionError("it does not hold")

    rule = Rule("C-000", "Nothing holds.", "For this test.", broken)
    with pytest.raises(RuntimeError, match="C-000"):
        measure_rules([rule])
