"""The register of rules: an id is one rule's for ever, however often its module is imported."""

import importlib

import pytest

from karbor_backup_contract import all_rules
from karbor_backup_contract._registry import rule
from karbor_backup_contract._rules import cancellation


def test_module_that_is_imported_again_enters_its_rules_anew() -> None:
    before = [each.id for each in all_rules()]
    importlib.reload(cancellation)
    assert [each.id for each in all_rules()] == before


def test_id_of_another_rule_is_refused() -> None:
    def another_rule(_: object) -> None:
        """Hold."""

    with pytest.raises(ValueError, match="C-701 is the id of"):
        rule("C-701", "It is another.", "It took the id.")(another_rule)
    assert "another_rule" not in {each.name for each in all_rules()}
