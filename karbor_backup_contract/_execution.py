"""Tries rules on harnesses and says what came of it."""

import contextlib
import enum
from typing import Final

import attrs

from karbor_backup_contract._cleanup import clean_up
from karbor_backup_contract._context import RuleContext
from karbor_backup_contract._registry import Rule
from karbor_backup_contract._time_limit import limit_time
from karbor_backup_contract._violation import RuleViolation
from karbor_backup_contract.harness import Harness
from karbor_backup_contract.requirements import TOLD_BY_ANOTHER

LOADABLE_RULE = "C-101"
"""The rule that a backend breaks which the core does not take; no other one can be tried then."""

_RULE_TIMEOUT: Final = 120.0
"""Seconds: a rule whose time is turned takes a fraction of one, and waits for nothing."""

_TIMEOUTS_OF_RULE: Final = 10
"""How often a rule that waits for real may wait for an operation until it is stuck."""


class RuleStatus(enum.StrEnum):
    """What came of a rule."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    EXPECTED_FAILURE = "failed as expected"


@attrs.frozen
class RuleResult:
    """What came of one rule.

    Attributes:
        rule: its id.
        status: what came of it.
        reason: what was seen, or why it was skipped or expected to fail.
    """

    rule: str
    status: RuleStatus
    reason: str = ""

    def is_worse_than(self, other: "RuleResult") -> bool:
        """Return whether this result is worse than another one."""
        return _SEVERITY.index(self.status) > _SEVERITY.index(other.status)


_SEVERITY: Final = (
    RuleStatus.PASSED,
    RuleStatus.SKIPPED,
    RuleStatus.EXPECTED_FAILURE,
    RuleStatus.FAILED,
)


class RequirementUnmet(Exception):
    """What a rule needs is not there; the message says what."""


def execute_rule(rule: Rule, context: RuleContext) -> None:
    """Try a rule.

    Raises:
        RequirementUnmet: it cannot be tried on this harness.
        RuleViolation: it does not hold.
        Exception: the backend or the harness broke; the rule does not hold either.
    """
    with limit_time(rule_timeout(context.harness), lambda: context.queued_seconds):
        _execute(rule, context)


def rule_timeout(harness: Harness) -> float:
    """Return the seconds after which a rule on a harness is stopped."""
    if harness.rule_timeout is not None:
        return harness.rule_timeout
    return _RULE_TIMEOUT if harness.clock is not None else _TIMEOUTS_OF_RULE * harness.timeout


def _execute(rule: Rule, context: RuleContext) -> None:
    harness = context.harness
    try:
        info = context.process.backend.info
    except Exception as error:
        if rule.id == LOADABLE_RULE:
            raise
        raise RequirementUnmet(
            f"the core does not take the backend, see {LOADABLE_RULE}"
        ) from error
    if reason := rule.unmet_reason(harness, info):
        raise RequirementUnmet(reason)
    rule.test(context)
    unfired = harness.pending_faults() if harness.pending_faults is not None else ()
    if unfired:
        raise RuleViolation(f"faults that were asked for and never happened: {unfired}")


def run_rule(rule: Rule, harness: Harness, *, cleanup: bool = False) -> RuleResult:
    """Try a rule and say what came of it.

    Args:
        rule: the rule.
        harness: a harness that nothing was done on yet.
        cleanup: remove afterwards what is left on it, as far as that can be.
    """
    expected = harness.expected_failures.get(rule.id)
    context = RuleContext(harness)
    try:
        execute_rule(rule, context)
    except RequirementUnmet as unmet:
        return RuleResult(rule.id, RuleStatus.SKIPPED, str(unmet))
    except Exception as error:  # noqa: BLE001 - whatever a backend or a harness raises
        if expected is not None:
            return RuleResult(rule.id, RuleStatus.EXPECTED_FAILURE, expected)
        return RuleResult(rule.id, RuleStatus.FAILED, describe_error(error))
    finally:
        if cleanup:
            with contextlib.suppress(RuleViolation), limit_time(rule_timeout(harness)):
                clean_up(context)
    if expected is not None:
        return RuleResult(rule.id, RuleStatus.FAILED, unexpected_pass_message(expected))
    return RuleResult(rule.id, RuleStatus.PASSED)


def is_told_by_another(reason: str) -> bool:
    """Return whether another rule's failure already reports why a rule cannot be tried."""
    return reason.endswith(TOLD_BY_ANOTHER)


def describe_error(error: BaseException) -> str:
    """Describe an exception that broke a rule in one line."""
    text = " ".join(str(error).split())
    return text if isinstance(error, RuleViolation) else f"{type(error).__name__}: {text}"


def unexpected_pass_message(reason: str) -> str:
    """Describe an expected failure that did not come."""
    return f"it holds, but was expected not to ({reason}): take it off expected_failures"
