"""The contract suite for pytest: a class that a backend's author adopts.

::

    from karbor_backup_contract import Harness
    from karbor_backup_contract.testing import ContractSuite


    class TestContract(ContractSuite):
        @pytest.fixture
        def harness(self, tmp_path):
            shelf = Shelf(tmp_path)
            return Harness(
                create_backend=...,
                resources=shelf,
                resource_types=[...],
                inventory=shelf.inventory,
            )
"""

from collections.abc import Callable
from typing import Any, Final

import attrs
import pytest

from karbor_backup_contract._context import RuleContext
from karbor_backup_contract._execution import (
    RequirementUnmet,
    describe_error,
    execute_rule,
    is_told_by_another,
    unexpected_pass_message,
)
from karbor_backup_contract._registry import Rule, all_rules
from karbor_backup_contract.harness import Harness

BACKEND_PROPERTY: Final = "contract backend"
REASON_PROPERTY: Final = "contract reason"
"""Names of what a test notes for the report."""


class ContractSuite:
    """All rules of the contract as tests; the subclass has, or finds, a fixture ``harness``.

    The fixture answers a new ``Harness`` for every rule. A mandatory rule that cannot be tried on
    it fails; any other such rule is skipped.

    Raises:
        TypeError: a subclass is written so that pytest would pass it over.
    """

    def __init_subclass__(cls, **extra: Any) -> None:
        super().__init_subclass__(**extra)
        if not cls.__name__.startswith("Test"):
            raise TypeError(f"{cls.__name__}: pytest passes it over: name it Test...")
        if not getattr(cls, "__test__", True):
            raise TypeError(f"{cls.__name__}: pytest passes it over: remove __test__")
        if cls.test_rule is not ContractSuite.test_rule:
            raise TypeError(f"{cls.__name__}: test_rule is not to be replaced")

    @pytest.mark.parametrize(
        "contract_rule", all_rules(), ids=lambda rule: f"{rule.id}-{rule.name}"
    )
    def test_rule(
        self,
        contract_rule: Rule,
        harness: Harness,
        record_property: Callable[[str, Any], None],
        pytestconfig: pytest.Config,
    ) -> None:
        """Try one rule on a harness of its own."""
        if pytestconfig.getoption("contract_exhaustive"):
            harness = attrs.evolve(harness, exhaustive=True)
        context = RuleContext(harness)
        expected = harness.expected_failures.get(contract_rule.id)
        try:
            execute_rule(contract_rule, context)
        except RequirementUnmet as unmet:
            _skip_or_fail(contract_rule, context, str(unmet))
        except Exception as error:
            record_property(REASON_PROPERTY, describe_error(error))
            if expected is None:
                error.add_note(f"{contract_rule.id}: {contract_rule.statement}")
                error.add_note(f"Why: {contract_rule.reason}")
                raise
            pytest.xfail(expected)
        else:
            if expected is not None:
                record_property(REASON_PROPERTY, unexpected_pass_message(expected))
                pytest.fail(unexpected_pass_message(expected), pytrace=False)
        finally:
            record_property(BACKEND_PROPERTY, context.identity)


def _skip_or_fail(rule: Rule, context: RuleContext, reason: str) -> None:
    _, _, declared = context.identity
    if rule.is_mandatory_for(declared) and not is_told_by_another(reason):
        pytest.fail(f"{rule.id} is mandatory, and cannot be tried: {reason}", pytrace=False)
    pytest.skip(reason)
