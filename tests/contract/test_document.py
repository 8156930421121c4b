"""The documentation of the contract is complete, and is what the code says."""

import inspect

import pytest

from karbor_backup_core.calls.witness import HOOKS
from karbor_backup_core.contract import Rule, all_rules
from karbor_backup_core.hookspecs import BackendSpec
from tests.contract.document import PAGE, document


def test_the_page_is_up_to_date(pytestconfig: pytest.Config) -> None:
    written = (pytestconfig.rootpath / PAGE).read_text(encoding="utf-8")
    assert written == document(), "run: python -m tests.contract.document"


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_documented_with_its_arguments(hook: str) -> None:
    specification = getattr(BackendSpec, hook)
    arguments = list(inspect.signature(specification).parameters)[1:]
    assert inspect.getdoc(specification)
    assert f"| `{hook}({', '.join(arguments)})` |" in document()


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.id)
def test_every_rule_is_documented(rule: Rule) -> None:
    assert rule.statement.endswith(".")
    assert rule.reason.endswith(".")
    assert inspect.getdoc(rule.test)
    assert f"| `{rule.id}` | {rule.statement} | {rule.reason} |" in document()
