"""Rules about cancels and deadlines."""

from datetime import timedelta
from typing import Final

import attrs

from karbor_backup_core.contract.bench import Fault
from karbor_backup_core.contract.broken import Broken
from karbor_backup_core.contract.expectations import ended, require, said
from karbor_backup_core.contract.lives import discard, unchanged
from karbor_backup_core.contract.needs import HOLDINGS, fault
from karbor_backup_core.contract.registry import rule
from karbor_backup_core.contract.trial import CALLS_LIMIT, Trial
from karbor_backup_core.model import Operation, Result, State, Verb

_MAKING = (Verb.PROTECT, Verb.RESTORE)
_STEPS: Final = 8
_SOON: Final = timedelta(seconds=1)
_LONG: Final = timedelta(minutes=10)


@rule(
    "C-701",
    "A cancel before the first call begins nothing.",
    "The doubt whether the call was made must not be settled by making it.",
    HOLDINGS,
)
def cancelled_before(trial: Trial) -> None:
    """Cancel between the durable write and the call, and let another process go on."""
    resource = trial.make(trial.kind(*_MAKING))
    for verb in _MAKING:
        target = trial.target(verb, resource)
        before = trial.holdings()
        operation = trial.restart(trial.cancel(trial.submitting(verb, target)))
        ended(trial.finish(operation), Result.CANCELLED)
        unchanged(trial, before, f"a {verb} that was cancelled before it began")


@rule(
    "C-702",
    "Work that is cancelled ends as cancelled.",
    "Somebody waits for the capacity that it takes.",
    HOLDINGS,
    fault(Fault.STALL),
    mandatory=False,
)
def cancelled_while_running(trial: Trial) -> None:
    """Cancel a protect and a restore that would never end."""
    resource = trial.make(trial.kind(*_MAKING))
    for verb in _MAKING:
        target = trial.target(verb, resource)
        before = trial.holdings()
        trial.arm(Fault.STALL)
        operation = trial.cancel(trial.running(verb, target))
        ended(trial.finish(operation), Result.CANCELLED)
        unchanged(trial, before, f"a {verb} that was cancelled")


@rule(
    "C-703",
    "A cancel at any time leads to an end, and a cancelled operation leaves nothing.",
    "A cancelled protect is no backup: nobody would ever delete it.",
    HOLDINGS,
)
def cancelled_at_any_time(trial: Trial) -> None:
    """Cancel a protect and a restore before the first call, the second, and so on."""
    resource = trial.make(trial.kind(*_MAKING))
    for verb in _MAKING:
        target = trial.target(verb, resource)
        for step in range(_STEPS):
            before = trial.holdings()
            operation = trial.plan(verb, target)
            for _ in range(step):
                operation = trial.advance(operation)
            late = operation.outcome is not None
            operation = trial.finish(trial.cancel(operation))
            if late:
                ended(operation, Result.SUCCEEDED)
                _tidy(trial, operation)
                break
            ended(operation, Result.CANCELLED)
            unchanged(trial, before, f"a {verb} that was cancelled before call {step + 1}")


@rule(
    "C-704",
    "`cancel` of what never ran, or runs no more, answers false and changes nothing.",
    "A cancel crosses the end of the work on its way.",
    HOLDINGS,
)
def cancelled_too_late(trial: Trial) -> None:
    """Cancel what runs, as long as it does; then what was never begun, and what is over."""
    resource = trial.make(trial.kind(Verb.PROTECT))
    over = trial.succeed(Verb.PROTECT, resource)
    never = trial.submitting(Verb.PROTECT, resource)
    running = trial.process.driver.step(trial.submitting(Verb.PROTECT, resource))
    trial.process.backend.cancel(running)
    before = trial.holdings()
    for operation in (never, attrs.evolve(over, state=State.RUNNING, outcome=None)):
        try:
            answer = trial.process.ask("cancel", operation=operation)
        except Exception as error:
            raise Broken(f"a cancel of what does not run raised {error!r}") from error
        require(answer is False, f"a cancel of what does not run answered {answer!r}")
    unchanged(trial, before, "a cancel of what does not run")


@rule(
    "C-705",
    "What finishes although it was cancelled is removed.",
    "Many services cannot stop what they have begun.",
    HOLDINGS,
    fault(Fault.DEAF),
    mandatory=False,
)
def finished_in_spite_of_a_cancel(trial: Trial) -> None:
    """Cancel a protect and a restore that go on to their ends."""
    resource = trial.make(trial.kind(*_MAKING))
    for verb in _MAKING:
        target = trial.target(verb, resource)
        before = trial.holdings()
        trial.arm(Fault.DEAF)
        operation = trial.cancel(trial.running(verb, target))
        ended(trial.finish(operation), Result.CANCELLED)
        unchanged(trial, before, f"a {verb} that finished although it was cancelled")


@rule(
    "C-706",
    "Work that is not done by its deadline is cancelled, fails, and leaves nothing.",
    "An operation that hangs must not hang for ever.",
    HOLDINGS,
    fault(Fault.STALL),
    mandatory=False,
)
def deadlines_end_work(trial: Trial) -> None:
    """Let a protect that would never end run into its deadline."""
    resource = trial.make(trial.kind(Verb.PROTECT))
    before = trial.holdings()
    trial.arm(Fault.STALL)
    operation = trial.finish(trial.plan(Verb.PROTECT, resource, deadline=_SOON))
    ended(operation, Result.FAILED)
    unchanged(trial, before, "a protect that missed its deadline")


@rule(
    "C-707",
    "Of work that cannot be stopped nothing is released while it runs, and all when it ended.",
    "Bookkeeping removed too early makes orphans: they run on, and nobody can find them.",
    HOLDINGS,
    fault(Fault.STUBBORN),
    mandatory=False,
)
def stubborn_work_is_not_orphaned(trial: Trial) -> None:
    """Let a protect run past its deadline and its grace, and resume it until it is released."""
    resource = trial.make(trial.kind(Verb.PROTECT))
    before = trial.holdings()
    trial.arm(Fault.STUBBORN)
    operation = trial.finish(trial.plan(Verb.PROTECT, resource, deadline=_SOON))
    require(operation.parked, f"{said(operation)} while its work goes on")
    require(operation.outcome and operation.outcome.leftovers, "nothing is named as left")
    gone = before.bookkeeping == trial.holdings().bookkeeping
    require(not gone, "the bookkeeping is gone while the work goes on")
    for _ in range(CALLS_LIMIT):
        trial.wait(_LONG if trial.bench.clock else None)
        operation = trial.finish(trial.restart(operation))
        if not operation.parked:
            break
    ended(operation, Result.FAILED)
    unchanged(trial, before, "a protect that could not be stopped")


def _tidy(trial: Trial, operation: Operation) -> None:
    if operation.verb is Verb.RESTORE:
        discard(trial, operation, trial.restored(operation))
