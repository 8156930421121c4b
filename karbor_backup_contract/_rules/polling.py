"""Rules about ``poll``: it looks at all work at once, and only looks."""

import uuid
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import attrs

from karbor_backup_contract._assertions import (
    describe_operation,
    require,
    require_running,
    require_success,
)
from karbor_backup_contract._context import CALLS_LIMIT, RuleContext
from karbor_backup_contract._registry import rule
from karbor_backup_contract._scenarios import (
    check_verbs_on_many,
    require_unchanged,
    start_each_verb,
    verb_targets,
)
from karbor_backup_contract._violation import RuleViolation
from karbor_backup_contract.harness import Fault
from karbor_backup_contract.requirements import CLOCK, INVENTORY, requires_fault
from karbor_backup_core import Backup, Operation, Progress, ProgressState, Resource, State, Verb

OPERATION_COUNT = 25
_FEWER_OPERATIONS = 5
"""Of the verbs behind the first one, unless the harness is to be tried exhaustively."""
_DAYS = 3
_HOURS_BETWEEN_LOOKS = 8


@rule(
    "C-501",
    "One poll answers for many operations, each with its own.",
    "A night's backups run at once; a page of a listing holds only some of them.",
)
def poll_answers_many_operations(context: RuleContext) -> None:
    """Begin each verb many times, and poll for all of them together until they ended."""

    def run(verb: Verb, targets: Sequence[Resource | Backup]) -> list[Operation]:
        if verb is not Verb.PROTECT and not context.harness.exhaustive:
            targets = targets[:_FEWER_OPERATIONS]
        return _run_together(context, [context.start(verb, target) for target in targets])

    check_verbs_on_many(context, OPERATION_COUNT, run)


@rule(
    "C-502",
    "The answers do not depend on which operations are asked about together, or in which order.",
    "An answer belongs to an id, not to a place in a list.",
)
def poll_order_does_not_matter(context: RuleContext) -> None:
    """Ask about ended work of each verb and work never begun: alone, together, and in reverse."""
    kind = context.type_supporting(Verb.PROTECT)
    targets = [(Verb.PROTECT, context.create_resource(kind)), *verb_targets(context, kind)]
    operations = [_run_until_work_ends(context, verb, target)[0] for verb, target in targets]
    operations.insert(1, context.record_submission(Verb.PROTECT, operations[0].resource))
    alone = {each.id: _poll(context, [each])[each.id] for each in operations}
    for order in (operations, operations[::-1]):
        together = _poll(context, order)
        for each in order:
            require(
                together.get(each.id) == alone[each.id],
                f"asked alone: {alone[each.id]}, asked with others: {together.get(each.id)}",
            )


@rule(
    "C-503",
    "`poll` changes nothing, and says the same again.",
    "It is called at any time, also by two processes, and its answer may be lost.",
    INVENTORY,
)
def poll_is_read_only(context: RuleContext) -> None:
    """Poll twice for work of each verb that ended, and compare the answers and what there is."""
    for verb, target in verb_targets(context):
        operation, first = _run_until_work_ends(context, verb, target)
        before = context.inventory()
        for _ in range(2):
            again = _poll(context, [operation])[operation.id]
            require(again == first, f"{verb}: the first poll says {first}, another one {again}")
        require_unchanged(context, before, f"two polls for a {verb}")
        context.finish(context.restart(operation))


@rule(
    "C-504",
    "One operation that is in a bad way spoils no other's answer.",
    "A receipt of a newer release must not stop a whole night's polls.",
)
def bad_receipt_affects_no_other_operation(context: RuleContext) -> None:
    """Poll for an operation whose receipt nobody has written, together with a good one."""
    resource = context.create_resource(context.type_supporting(Verb.PROTECT))
    good, bad = (
        _create_ended_operation(context, resource),
        _create_ended_operation(context, resource),
    )
    alone = _poll(context, [good])[good.id]
    spoilt = attrs.evolve(bad, receipt={"contract": ["strange"]})
    try:
        together = _poll(context, [spoilt, good])
    except Exception as error:
        raise RuleViolation(f"one strange receipt makes the whole poll raise {error!r}") from error
    require(together.get(good.id) == alone, f"the good one's answer is {together.get(good.id)}")
    require(isinstance(together.get(bad.id), Progress), "the bad one is not answered")


@rule(
    "C-505",
    "Of work that was never begun the answer is `unknown`.",
    "A cancel that comes before the first call ends the operation only if that is told.",
)
def unstarted_work_is_unknown(context: RuleContext) -> None:
    """Poll between the durable write and the call, for each verb."""
    for verb, target in verb_targets(context):
        for operation in (
            context.record_submission(verb, target),
            attrs.evolve(context.record_submission(verb, target), id=str(uuid.uuid4())),
        ):
            state = _poll(context, [operation])[operation.id].state
            require(state is ProgressState.UNKNOWN, f"a {verb} that was never begun is {state}")


@rule(
    "C-506",
    "Of an operation that is released already the answer is not `running`.",
    "A release may be told twice; the second one must come to an end.",
)
def released_is_not_running(context: RuleContext) -> None:
    """Poll for an operation of each verb whose release was not written down."""
    for verb, target in verb_targets(context):
        released = context.run_successfully(verb, target)
        again = attrs.evolve(released, state=State.RELEASING, awaiting=True)
        state = _poll(context, [again])[again.id].state
        require(not state.active, f"a {verb} that was released is {state}")


@rule(
    "C-507",
    "Progress has a unit, stays within its total, and never goes back.",
    "People look at it to see whether anything still moves.",
)
def progress_never_decreases(context: RuleContext) -> None:
    """Look at every step of each verb."""
    for verb, target in verb_targets(context):
        operation = context.plan(verb, target)
        units: dict[int, str] = {}
        reached: dict[int, float] = {}
        while not operation.finished:
            operation = context.advance(operation)
            amount = operation.amount
            if amount.done is None or operation.state is State.SUBMITTING:
                continue  # What it shows before a call of the next phase is the last one's.
            where = f"{verb}: {amount.done:g} of {amount.total} {amount.unit}"
            require(amount.unit, f"{where}: without a unit")
            require(0 <= amount.done <= (amount.total or amount.done), where)
            before = reached.get(operation.phase, 0)
            require(amount.done >= before, f"{where}, after {before:g}")
            reached[operation.phase] = amount.done
            unit = units.setdefault(operation.phase, amount.unit)
            require(unit == amount.unit, f"{where}, after {unit} in the same phase")
        require_success(operation)


@rule(
    "C-508",
    "No hook waits for work outside.",
    "A few threads drive hundreds of operations, and a cancel must get through.",
    requires_fault(Fault.STALL),
    mandatory=False,
)
def hooks_do_not_wait(context: RuleContext) -> None:
    """Begin work of each verb that never ends by itself, and come back from each hook."""
    for operation in _each_stalled_operation(context):
        state = _poll(context, [operation])[operation.id].state
        what = f"a {operation.verb} that does not end"
        require(state.active, f"{what} is {state}")


@rule(
    "C-509",
    "Work that takes days is `running` for days.",
    "A first copy of a large volume takes longer than anybody has tried.",
    CLOCK,
    requires_fault(Fault.STALL),
    mandatory=False,
)
def long_work_is_running(context: RuleContext) -> None:
    """Look at work of each verb that does not end, for three days."""
    for operation in _each_stalled_operation(context, timedelta(days=_DAYS + 1)):
        followed = operation
        for hour in range(0, 24 * _DAYS, _HOURS_BETWEEN_LOOKS):
            context.wait(timedelta(hours=_HOURS_BETWEEN_LOOKS))
            (followed,) = context.poll([followed])
            where = f"after {hour + _HOURS_BETWEEN_LOOKS} hours, {describe_operation(followed)}"
            require(followed.state is State.RUNNING, where)
            require(not followed.retry.last_error, f"{where}: {followed.retry.last_error}")


def _each_stalled_operation(
    context: RuleContext, deadline: timedelta | None = None
) -> Iterator[Operation]:
    """Yield an operation of each verb that takes work outside, which never ends; end it then."""
    for started in start_each_verb(context, Fault.STALL, deadline):
        require_running(started.operation)
        yield started.operation
        context.finish(context.cancel(started.operation))


def _run_together(context: RuleContext, begun: list[Operation]) -> list[Operation]:
    """Poll for operations together until they ended, and see each of them succeed."""
    for _ in range(CALLS_LIMIT):
        running = [operation for operation in begun if operation.state is State.RUNNING]
        if not running:
            break
        rest = [operation for operation in begun if operation.state is not State.RUNNING]
        begun = rest + context.poll(running)
    return [require_success(context.finish(operation)) for operation in begun]


def _create_ended_operation(context: RuleContext, resource: Resource) -> Operation:
    """Return a protect whose work outside has ended, and of which the core knows nothing yet."""
    return _run_until_work_ends(context, Verb.PROTECT, resource)[0]


def _run_until_work_ends(
    context: RuleContext, verb: Verb, target: Resource | Backup
) -> tuple[Operation, Progress]:
    """Return an operation whose work outside has ended, and the answer of the poll that says so."""
    operation = _start_work(context, context.record_submission(verb, target))
    context.settle()  # The answer is forgotten: only the service's lists tell of the work.
    for _ in range(context.calls_limit):
        answer: Progress = _poll(context, [operation])[operation.id]
        if not answer.state.active:
            return operation, answer
        context.wait()
    raise RuleViolation(f"{describe_operation(operation)}, and its work does not end")


def _start_work(context: RuleContext, operation: Operation) -> Operation:
    """Make the calls up to the one that begins work outside, and forget the answer to that."""
    for _ in range(CALLS_LIMIT):
        if context.process.backend.call_verb(operation).state is not ProgressState.READY:
            return operation
        operation = context.advance_phase(operation)
    raise RuleViolation(f"{describe_operation(operation)}, and its work does not begin")


def _poll(context: RuleContext, operations: Sequence[Operation]) -> Any:
    return context.process.call_hook("poll", operations=tuple(operations))
