"""The documentation of the contract is complete, and is what the code says."""

import inspect

import pytest

from karbor_backup_contract import Rule, all_rules
from karbor_backup_core.hookspecs import BACKEND_HOOKS, BackendSpec
from tests.contract.generate_page import PAGE_PATH, render_page


def test_the_page_is_up_to_date(pytestconfig: pytest.Config) -> None:
    written = (pytestconfig.rootpath / PAGE_PATH).read_text(encoding="utf-8")
    assert written == render_page(), "run: python -m tests.contract.generate_page"


@pytest.mark.parametrize("hook", BACKEND_HOOKS)
def test_every_hook_is_documented_with_its_arguments(hook: str) -> None:
    specification = getattr(BackendSpec, hook)
    arguments = list(inspect.signature(specification).parameters)[1:]
    assert inspect.getdoc(specification)
    assert f"| `{hook}({', '.join(arguments)})` |" in render_page()


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.id)
def test_every_rule_is_documented(rule: Rule) -> None:
    assert rule.statement.endswith(".")
    assert rule.reason.endswith(".")
    assert inspect.getdoc(rule.test)
    assert f"| `{rule.id}` | {rule.statement} | {rule.reason} |" in render_page()
