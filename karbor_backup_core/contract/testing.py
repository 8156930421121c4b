"""The contract suite for pytest: a class that a backend's author adopts.

::

    from karbor_backup_core.contract import Bench
    from karbor_backup_core.contract.testing import ContractSuite


    class TestContract(ContractSuite):
        @pytest.fixture
        def bench(self, tmp_path):
            shelf = Shelf(tmp_path)
            return Bench(backend=..., resources=shelf, kinds=[...], holdings=shelf.holdings)
"""

from collections.abc import Callable
from typing import Any, Final

import pytest

from karbor_backup_core.contract.bench import Bench
from karbor_backup_core.contract.registry import Rule, all_rules
from karbor_backup_core.contract.trial import Trial
from karbor_backup_core.contract.verdict import Unmet, attempt, passes_unexpectedly, seen

BACKEND: Final = "contract backend"
REASON: Final = "contract reason"
"""Names of what a test notes for the report."""


class ContractSuite:
    """All rules of the contract as tests; the subclass has, or finds, a fixture ``bench``.

    The fixture answers a new ``Bench`` for every rule. A mandatory rule that cannot be tried on
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

    @pytest.mark.parametrize("contract_rule", all_rules(), ids=lambda rule: rule.id)
    def test_rule(
        self, contract_rule: Rule, bench: Bench, record_property: Callable[[str, Any], None]
    ) -> None:
        """Try one rule on a bench of its own."""
        trial = Trial(bench)
        expected = bench.expected_failures.get(contract_rule.id)
        try:
            attempt(contract_rule, trial)
        except Unmet as unmet:
            _unmet(contract_rule, trial, str(unmet))
        except Exception as error:
            record_property(REASON, seen(error))
            if expected is None:
                raise
            pytest.xfail(expected)
        else:
            if expected is not None:
                record_property(REASON, passes_unexpectedly(expected))
                pytest.fail(passes_unexpectedly(expected), pytrace=False)
        finally:
            record_property(BACKEND, trial.identity)


def _unmet(rule: Rule, trial: Trial, reason: str) -> None:
    _, _, declared = trial.identity
    if rule.binds(declared):
        pytest.fail(f"{rule.id} is mandatory, and cannot be tried: {reason}", pytrace=False)
    pytest.skip(reason)
