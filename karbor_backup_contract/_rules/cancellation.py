"""Rules about cancels and deadlines."""

from datetime import timedelta
from typing import Final

import attrs

from karbor_backup_contract._assertions import (
    describe_operation,
    require,
    require_outcome,
    require_running,
    require_success,
)
from karbor_backup_contract._context import CALLS_LIMIT, RuleContext
from karbor_backup_contract._registry import rule
from karbor_backup_contract._scenarios import (
    delete_restored,
    require_nothing_left,
    require_unchanged,
    start_each_verb,
    verb_targets,
)
from karbor_backup_contract._violation import RuleViolation
from karbor_backup_contract.harness import Fault
from karbor_backup_contract.requirements import INVENTORY, requires_fault
from karbor_backup_core import Operation, Result, State, Verb

_MAX_CALLS: Final = 8
_SOON: Final = timedelta(seconds=1)
_LONG: Final = timedelta(minutes=10)


@rule(
    "C-701",
    "A cancel before the first call begins nothing.",
    "The doubt whether the call was made must not be settled by making it.",
    INVENTORY,
)
def cancel_before_first_call_starts_nothing(context: RuleContext) -> None:
    """Cancel each verb between the durable write and the call, and let another process go on."""
    for verb, target in verb_targets(context):
        before = context.inventory()
        operation = context.restart(context.cancel(context.record_submission(verb, target)))
        require_outcome(context.finish(operation), Result.CANCELLED)
        require_unchanged(context, before, f"a {verb} that was cancelled before it began")


@rule(
    "C-702",
    "Work that is cancelled ends as cancelled.",
    "Somebody waits for the capacity that it takes.",
    INVENTORY,
    requires_fault(Fault.STALL),
    mandatory=False,
)
def cancel_ends_running_work(context: RuleContext) -> None:
    """Cancel work of each verb that would never end, of a type with members too."""
    _cancel_each_verb(context, Fault.STALL)
    for kind in context.compound_types_supporting(Verb.PROTECT)[:1]:
        _cancel_each_verb(context, Fault.STALL, kind)


@rule(
    "C-703",
    "A cancel at any time leads to an end, and a cancelled operation leaves nothing.",
    "A cancelled protect is no backup: nobody would ever delete it.",
    INVENTORY,
)
def cancel_at_any_time_leaves_nothing(context: RuleContext) -> None:
    """Cancel each verb before the first call, the second, and so on."""
    for verb, target in verb_targets(context):
        for step in range(_MAX_CALLS):
            before = context.inventory()
            operation = context.plan(verb, target)
            for _ in range(step):
                operation = context.advance(operation)
            late = operation.outcome is not None
            operation = context.finish(context.cancel(operation))
            if late:
                require_outcome(operation, Result.SUCCEEDED)
                _delete_restored(context, operation)
                break
            _require_cancelled(operation)
            if verb is Verb.DELETE and step:
                break  # It may be gone already; the rule about cancelled deletes tries that.
            require_unchanged(
                context, before, f"a {verb} that was cancelled before call {step + 1}"
            )


@rule(
    "C-704",
    "`cancel` of what never ran, or runs no more, answers false and changes nothing.",
    "A cancel crosses the end of the work on its way.",
    INVENTORY,
)
def late_cancel_changes_nothing(context: RuleContext) -> None:
    """Cancel what runs, as long as it does; then what was never begun, and what is over."""
    resource = context.create_resource(context.type_supporting(Verb.PROTECT))
    over = context.run_successfully(Verb.PROTECT, resource)
    never = context.record_submission(Verb.PROTECT, resource)
    running = context.process.driver.step(context.record_submission(Verb.PROTECT, resource))
    # To its end: what a cancel comes too late for would appear among what is compared.
    context.finish(context.cancel(running))
    before = context.inventory()
    for operation in (never, attrs.evolve(over, state=State.RUNNING, outcome=None)):
        try:
            answer = context.process.call_hook("cancel", operation=operation)
        except Exception as error:
            raise RuleViolation(f"a cancel of what does not run raised {error!r}") from error
        require(answer is False, f"a cancel of what does not run answered {answer!r}")
    require_unchanged(context, before, "a cancel of what does not run")


@rule(
    "C-705",
    "What finishes although it was cancelled is removed.",
    "Many services cannot stop what they have begun.",
    INVENTORY,
    requires_fault(Fault.IGNORES_CANCEL),
    mandatory=False,
)
def work_that_ignores_cancel_is_removed(context: RuleContext) -> None:
    """Cancel work of each verb that goes on to its end."""
    _cancel_each_verb(context, Fault.IGNORES_CANCEL)


@rule(
    "C-706",
    "Work that is not done by its deadline is cancelled, fails, and leaves nothing.",
    "An operation that hangs must not hang for ever.",
    INVENTORY,
    requires_fault(Fault.STALL),
    mandatory=False,
)
def missed_deadline_cancels_work(context: RuleContext) -> None:
    """Let work of each verb that would never end run into its deadline."""
    for started in start_each_verb(context, Fault.STALL, _SOON):
        require_outcome(context.finish(started.operation), Result.FAILED)
        require_nothing_left(context, started, "that missed its deadline")


@rule(
    "C-707",
    "Of work that cannot be stopped nothing is released while it runs, and all when it ended.",
    "Bookkeeping removed too early makes orphans: they run on, and nobody can find them.",
    INVENTORY,
    requires_fault(Fault.UNCANCELLABLE),
    mandatory=False,
)
def uncancellable_work_is_not_orphaned(context: RuleContext) -> None:
    """Let work of each verb run past deadline and grace, and resume it until it is released."""
    for started in start_each_verb(context, Fault.UNCANCELLABLE, _SOON):
        operation = context.finish(started.operation)
        require(operation.suspended, f"{describe_operation(operation)} while its work goes on")
        require(operation.outcome and operation.outcome.leftovers, "nothing is named as left")
        gone = started.before.bookkeeping == context.inventory().bookkeeping
        require(not gone, "the bookkeeping is gone while the work goes on")
        for _ in range(CALLS_LIMIT):
            context.wait(_LONG if context.harness.clock else None)
            operation = context.finish(context.restart(operation))
            if not operation.suspended:
                break
        require_outcome(operation, Result.FAILED)
        require_nothing_left(context, started, "that could not be stopped")


@rule(
    "C-708",
    "A cancel stops its own operation, and no other one of the same resource.",
    "Two people work on one resource, or the night's protect and somebody's own.",
    since="1.1",
)
def cancel_spares_other_operations(context: RuleContext) -> None:
    """Begin a verb twice on one resource, and cancel the first of the two."""
    kind = context.type_supporting(Verb.PROTECT)
    resource = context.create_resource(kind)
    for verb in context.supported_verbs(kind):
        cancelled, other = (
            context.start(verb, context.target_for(verb, resource)) for _ in range(2)
        )
        cancelled = context.advance(context.cancel(cancelled))
        other = require_success(context.finish(other))
        _delete_restored(context, other)
        cancelled = context.finish(cancelled)
        require_outcome(cancelled, Result.SUCCEEDED, Result.CANCELLED)
        if cancelled.succeeded:
            _delete_restored(context, cancelled)


def _require_cancelled(operation: Operation) -> None:
    """Let an operation pass that was cancelled, or whose end came first and makes nothing."""
    makes = operation.makes_backup or operation.verb is Verb.RESTORE
    require_outcome(operation, Result.CANCELLED, *(() if makes else (Result.SUCCEEDED,)))


def _cancel_each_verb(context: RuleContext, fault: Fault, kind: str | None = None) -> None:
    for started in start_each_verb(context, fault, kind=kind):
        require_running(started.operation)
        _require_cancelled(context.finish(context.cancel(started.operation)))
        require_nothing_left(context, started, "that was cancelled")


def _delete_restored(context: RuleContext, operation: Operation) -> None:
    if operation.verb is Verb.RESTORE:
        delete_restored(context, operation, context.restored_resource(operation))
