"""Rules about ``poll``: it looks at all work at once, and only looks."""

import uuid
from collections.abc import Sequence
from typing import Any

import attrs

from karbor_backup_core.contract.bench import Fault
from karbor_backup_core.contract.broken import Broken
from karbor_backup_core.contract.expectations import require, said, succeeded
from karbor_backup_core.contract.lives import unchanged
from karbor_backup_core.contract.needs import HOLDINGS, fault
from karbor_backup_core.contract.registry import rule
from karbor_backup_core.contract.trial import CALLS_LIMIT, Trial
from karbor_backup_core.model import Operation, Progress, ProgressState, Resource, State, Verb

MANY = 25


@rule(
    "C-501",
    "One poll answers for many operations, each with its own.",
    "A night's backups run at once; a page of a listing holds only some of them.",
)
def many_at_once(trial: Trial) -> None:
    """Begin many protects, and poll for all of them together until they ended."""
    resource = trial.make(trial.kind(Verb.PROTECT))
    begun = [trial.begin(Verb.PROTECT, resource) for _ in range(MANY)]
    for _ in range(CALLS_LIMIT):
        running = [operation for operation in begun if operation.state is State.RUNNING]
        if not running:
            break
        rest = [operation for operation in begun if operation.state is not State.RUNNING]
        begun = rest + trial.poll(running)
    for operation in begun:
        succeeded(trial.finish(operation))


@rule(
    "C-502",
    "The answers do not depend on which operations are asked about together, or in which order.",
    "An answer belongs to an id, not to a place in a list.",
)
def order_does_not_matter(trial: Trial) -> None:
    """Ask about work that ended and work that never began: alone, together, and in reverse."""
    kind = trial.kind(Verb.PROTECT)
    operations = [_over(trial, trial.make(kind)) for _ in range(2)]
    operations.insert(1, trial.submitting(Verb.PROTECT, operations[0].resource))
    alone = {each.id: _polled(trial, [each])[each.id] for each in operations}
    for order in (operations, operations[::-1]):
        together = _polled(trial, order)
        for each in order:
            require(
                together.get(each.id) == alone[each.id],
                f"asked alone: {alone[each.id]}, asked with others: {together.get(each.id)}",
            )


@rule(
    "C-503",
    "`poll` changes nothing, and says the same again.",
    "It is called at any time, also by two processes, and its answer may be lost.",
    HOLDINGS,
)
def polls_only_read(trial: Trial) -> None:
    """Poll twice for work that ended, and compare the answers and what there is."""
    operation, first = _ended(trial, trial.make(trial.kind(Verb.PROTECT)))
    before = trial.holdings()
    for _ in range(2):
        again = _polled(trial, [operation])[operation.id]
        require(again == first, f"the first poll says {first}, another one {again}")
    unchanged(trial, before, "two polls")


@rule(
    "C-504",
    "One operation that is in a bad way spoils no other's answer.",
    "A receipt of a newer release must not stop a whole night's polls.",
)
def bad_ones_stay_alone(trial: Trial) -> None:
    """Poll for an operation whose receipt nobody has written, together with a good one."""
    resource = trial.make(trial.kind(Verb.PROTECT))
    good, bad = _over(trial, resource), _over(trial, resource)
    alone = _polled(trial, [good])[good.id]
    spoilt = attrs.evolve(bad, receipt={"contract": ["strange"]})
    try:
        together = _polled(trial, [spoilt, good])
    except Exception as error:
        raise Broken(f"one strange receipt makes the whole poll raise {error!r}") from error
    require(together.get(good.id) == alone, f"the good one's answer is {together.get(good.id)}")
    require(isinstance(together.get(bad.id), Progress), "the bad one is not answered")


@rule(
    "C-505",
    "Of work that was never begun the answer is `unknown`.",
    "A cancel that comes before the first call ends the operation only if that is told.",
)
def never_begun_is_unknown(trial: Trial) -> None:
    """Poll between the durable write and the call."""
    resource = trial.make(trial.kind(Verb.PROTECT))
    for operation in (
        trial.submitting(Verb.PROTECT, resource),
        attrs.evolve(trial.submitting(Verb.PROTECT, resource), id=str(uuid.uuid4())),
    ):
        state = _polled(trial, [operation])[operation.id].state
        require(state is ProgressState.UNKNOWN, f"work that was never begun is {state}")


@rule(
    "C-506",
    "Of an operation that is released already the answer is not `running`.",
    "A release may be told twice; the second one must come to an end.",
)
def released_is_not_running(trial: Trial) -> None:
    """Poll for an operation whose release was not written down."""
    released = trial.succeed(Verb.PROTECT, trial.make(trial.kind(Verb.PROTECT)))
    again = attrs.evolve(released, state=State.RELEASING, awaiting=True)
    state = _polled(trial, [again])[again.id].state
    require(state is not ProgressState.RUNNING, "what was released is said to be running")


@rule(
    "C-507",
    "Progress has a unit, stays within its total, and never goes back.",
    "People look at it to see whether anything still moves.",
)
def progress_goes_forward(trial: Trial) -> None:
    """Look at every step of a protect and of a restore."""
    resource = trial.make(trial.kind(Verb.PROTECT, Verb.RESTORE))
    for verb in (Verb.PROTECT, Verb.RESTORE):
        operation = trial.plan(verb, trial.target(verb, resource))
        while not operation.finished:
            before, operation = operation, trial.advance(operation)
            if operation.done is None:
                continue
            where = f"{verb}: {operation.done:g} of {operation.total} {operation.unit}"
            require(operation.unit, f"{where}: without a unit")
            require(0 <= operation.done <= (operation.total or operation.done), where)
            back = before.phase == operation.phase and operation.done < (before.done or 0)
            require(not back, f"{where}, after {before.done}")
        succeeded(operation)


@rule(
    "C-508",
    "No hook waits for work outside.",
    "A few threads drive hundreds of operations, and a cancel must get through.",
    fault(Fault.STALL),
    mandatory=False,
)
def hooks_do_not_wait(trial: Trial) -> None:
    """Begin work that never ends by itself, and come back from each hook."""
    resource = trial.make(trial.kind(Verb.PROTECT))
    trial.arm(Fault.STALL)
    operation = trial.running(Verb.PROTECT, resource)
    state = _polled(trial, [operation])[operation.id].state
    require(state is ProgressState.RUNNING, f"work that does not end is {state}")
    trial.finish(trial.cancel(operation))


def _over(trial: Trial, resource: Resource) -> Operation:
    """Answer a protect whose work outside has ended, and of which the core knows nothing yet."""
    return _ended(trial, resource)[0]


def _ended(trial: Trial, resource: Resource) -> tuple[Operation, Progress]:
    """As ``_over``, with the answer of the poll that said so."""
    operation = _begun(trial, trial.submitting(Verb.PROTECT, resource))
    for _ in range(CALLS_LIMIT):
        answer: Progress = _polled(trial, [operation])[operation.id]
        if answer.state is not ProgressState.RUNNING:
            return operation, answer
        trial.wait()
    raise Broken(f"{said(operation)}, and its work does not end")


def _begun(trial: Trial, operation: Operation) -> Operation:
    """Make the calls up to the one that begins work outside, and forget the answer to that."""
    for _ in range(CALLS_LIMIT):
        if trial.process.backend.call(operation).state is not ProgressState.READY:
            return operation
        operation = trial.next_phase(operation)
    raise Broken(f"{said(operation)}, and its work does not begin")


def _polled(trial: Trial, operations: Sequence[Operation]) -> Any:
    return trial.process.ask("poll", operations=tuple(operations))
