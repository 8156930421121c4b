"""Rules, and the register of them."""

import importlib
import pkgutil
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import attrs

from karbor_backup_core.contract.bench import Bench
from karbor_backup_core.contract.needs import Need
from karbor_backup_core.model import BackendInfo

if TYPE_CHECKING:
    from karbor_backup_core.contract.trial import Trial

Test = Callable[["Trial"], None]

_rules: Final[dict[str, "Rule"]] = {}


@attrs.frozen
class Rule:
    """One rule of the contract.

    Attributes:
        id: ``C-`` and a number, never used again for another rule.
        statement: the rule, in one line.
        reason: why there is such a rule.
        test: raises ``Broken`` when it does not hold.
        needs: what it takes to try it.
        mandatory: whether a backend is conformant only if it was tried.
        since: the contract version that brought it; a backend that was written for an earlier
            one need not keep it.
    """

    id: str
    statement: str
    reason: str
    test: Test = attrs.field(repr=False)
    needs: tuple[Need, ...] = ()
    mandatory: bool = True
    since: str = "1.0"

    @property
    def subject(self) -> str:
        """The name of the module that it stands in."""
        return self.test.__module__.rpartition(".")[2]

    def unmet(self, bench: Bench, info: BackendInfo) -> str:
        """Say why it cannot be tried on this bench; empty when it can."""
        if _number(info.contract) < _number(self.since):
            return f"a rule since contract {self.since}; the backend is written for {info.contract}"
        return "; ".join(reason for need in self.needs if (reason := need.unmet(bench, info)))

    def binds(self, contract: str) -> bool:
        """Say whether a backend written for that contract must keep it to be conformant."""
        return self.mandatory and _number(contract) >= _number(self.since)


def rule(
    identifier: str,
    statement: str,
    reason: str,
    *needs: Need,
    mandatory: bool = True,
    since: str = "1.0",
) -> Callable[[Test], Test]:
    """Enter a function into the register as the test of a rule; see ``Rule``."""

    def enter(test: Test) -> Test:
        if identifier in _rules:
            raise ValueError(f"{identifier} is the id of {_rules[identifier].test} already")
        _rules[identifier] = Rule(identifier, statement, reason, test, needs, mandatory, since)
        return test

    return enter


def all_rules() -> tuple[Rule, ...]:
    """Answer all rules in the order of their ids."""
    from karbor_backup_core.contract import rules as package

    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
    return tuple(_rules[identifier] for identifier in sorted(_rules))


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
