"""Rules, and the register of them."""

import importlib
import pkgutil
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import attrs

from karbor_backup_contract.harness import Harness
from karbor_backup_contract.requirements import Requirement
from karbor_backup_core import BackendInfo

if TYPE_CHECKING:
    from karbor_backup_contract._context import RuleContext

RuleTest = Callable[["RuleContext"], None]

_rules: Final[dict[str, "Rule"]] = {}


@attrs.frozen
class Rule:
    """One rule of the contract.

    Attributes:
        id: ``C-`` and a number, never used again for another rule.
        statement: the rule, in one line.
        reason: why there is such a rule.
        test: raises ``RuleViolation`` when it does not hold.
        requirements: what it takes to try it.
        mandatory: whether a backend is conformant only if it was tried.
        since: the contract version that brought it; a backend that was written for an earlier
            one need not keep it.
    """

    id: str
    statement: str
    reason: str
    test: RuleTest = attrs.field(repr=False)
    requirements: tuple[Requirement, ...] = ()
    mandatory: bool = True
    since: str = "1.0"

    @property
    def name(self) -> str:
        """The rule in a few words, as an identifier."""
        return self.test.__name__

    @property
    def subject(self) -> str:
        """The name of the module that it stands in."""
        return self.test.__module__.rpartition(".")[2]

    def unmet_reason(self, harness: Harness, info: BackendInfo) -> str:
        """Describe why it cannot be tried on this harness; empty when it can."""
        if _parse_version(info.contract) < _parse_version(self.since):
            return f"a rule since contract {self.since}; the backend is written for {info.contract}"
        return "; ".join(
            reason for need in self.requirements if (reason := need.unmet_reason(harness, info))
        )

    def is_mandatory_for(self, contract: str) -> bool:
        """Return whether a backend written for that contract must keep it to be conformant."""
        return self.mandatory and _parse_version(contract) >= _parse_version(self.since)


def rule(
    identifier: str,
    statement: str,
    reason: str,
    *needs: Requirement,
    mandatory: bool = True,
    since: str = "1.0",
) -> Callable[[RuleTest], RuleTest]:
    """Enter a function into the register as the test of a rule; see ``Rule``."""

    def enter(test: RuleTest) -> RuleTest:
        # A module may be imported again: pytest's pytester forgets what was imported in its runs.
        known = _rules.get(identifier)
        if known is not None and _qualified_name(known.test) != _qualified_name(test):
            raise ValueError(f"{identifier} is the id of {known.test} already")
        _rules[identifier] = Rule(identifier, statement, reason, test, needs, mandatory, since)
        return test

    return enter


def _qualified_name(test: RuleTest) -> tuple[str, str]:
    return test.__module__, test.__qualname__


def all_rules() -> tuple[Rule, ...]:
    """Return all rules in the order of their ids."""
    from karbor_backup_contract import _rules as package

    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
    return tuple(_rules[identifier] for identifier in sorted(_rules))


def rules_by_subject() -> dict[str, list[Rule]]:
    """Return all rules by the module that they stand in, in the order of each one's first id."""
    subjects: dict[str, list[Rule]] = {}
    for each in all_rules():
        subjects.setdefault(each.subject, []).append(each)
    return subjects


def _parse_version(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
