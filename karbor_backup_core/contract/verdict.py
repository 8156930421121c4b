"""Tries rules on benches and says what came of it."""

import enum
from typing import Final

import attrs

from karbor_backup_core.contract.bench import Bench
from karbor_backup_core.contract.broken import Broken
from karbor_backup_core.contract.registry import Rule
from karbor_backup_core.contract.tidying import tidy as tidy_up
from karbor_backup_core.contract.trial import Trial

TAKEN = "C-101"
"""The rule that a backend breaks which the core does not take; no other one can be tried then."""


class Status(enum.StrEnum):
    """What came of a rule."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    EXPECTED = "failed as expected"


@attrs.frozen
class Verdict:
    """What came of one rule.

    Attributes:
        rule: its id.
        status: what came of it.
        reason: what was seen, or why it was skipped or expected to fail.
    """

    rule: str
    status: Status
    reason: str = ""

    def worse_than(self, other: "Verdict") -> bool:
        """Say whether this one tells against a backend more than another one does."""
        return _BADNESS.index(self.status) > _BADNESS.index(other.status)


_BADNESS: Final = (Status.PASSED, Status.SKIPPED, Status.EXPECTED, Status.FAILED)


class Unmet(Exception):
    """What a rule needs is not there; the message says what."""


def attempt(rule: Rule, trial: Trial) -> None:
    """Try a rule.

    Raises:
        Unmet: it cannot be tried on this bench.
        Broken: it does not hold.
        Exception: the backend or the bench broke; the rule does not hold either.
    """
    bench = trial.bench
    try:
        info = trial.process.backend.info
    except Exception as error:
        if rule.id == TAKEN:
            raise
        raise Unmet(f"the core does not take the backend, see {TAKEN}") from error
    if reason := rule.unmet(bench, info):
        raise Unmet(reason)
    rule.test(trial)
    unfired = bench.unfired() if bench.unfired is not None else ()
    if unfired:
        raise Broken(f"faults that were asked for and never happened: {unfired}")


def judge(rule: Rule, bench: Bench, *, tidy: bool = False) -> Verdict:
    """Try a rule and say what came of it.

    Args:
        rule: the rule.
        bench: a bench that nothing was done on yet.
        tidy: remove afterwards what is left on it, as far as that can be.
    """
    expected = bench.expected_failures.get(rule.id)
    trial = Trial(bench)
    try:
        attempt(rule, trial)
    except Unmet as unmet:
        return Verdict(rule.id, Status.SKIPPED, str(unmet))
    except Exception as error:  # noqa: BLE001 - whatever a backend or a bench raises
        if expected is not None:
            return Verdict(rule.id, Status.EXPECTED, expected)
        return Verdict(rule.id, Status.FAILED, seen(error))
    finally:
        if tidy:
            tidy_up(trial)
    if expected is not None:
        return Verdict(rule.id, Status.FAILED, passes_unexpectedly(expected))
    return Verdict(rule.id, Status.PASSED)


def seen(error: BaseException) -> str:
    """Say in one line what an exception that broke a rule says."""
    text = " ".join(str(error).split())
    return text if isinstance(error, Broken) else f"{type(error).__name__}: {text}"


def passes_unexpectedly(reason: str) -> str:
    """Say what is wrong with an expected failure that did not come."""
    return f"it holds, but was expected not to ({reason}): take it off expected_failures"
