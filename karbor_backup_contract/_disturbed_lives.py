"""Lives of a backup in which each call of each operation is disturbed in the same way."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Generic, Protocol, TypeVar

import attrs

from karbor_backup_contract._assertions import (
    describe_operation,
    require,
    require_backup,
    require_outcome,
)
from karbor_backup_contract._context import RuleContext
from karbor_backup_contract._scenarios import (
    check_restore,
    check_restored_content,
    check_whole_or_gone,
    require_unchanged,
    use_up_fault,
)
from karbor_backup_contract.harness import Fault
from karbor_backup_core import Backup, Operation, Resource, Result, Verb

_SAMPLE: Final = (1, 2, 3, 5, 8, 13, 21, 34)


class Disturbance(Protocol):
    """Disturbs the calls of operations."""

    @property
    def met(self) -> bool:
        """Whether any call was disturbed."""

    @property
    def description(self) -> str:
        """What happens, as the end of "a protect whose calls"."""

    def before_call(self, operation: Operation) -> Operation:
        """Prepare for the next call of an operation; return the operation to go on with."""

    def after_last_call(self) -> None:
        """Leave nothing behind that would disturb another operation."""


D = TypeVar("D", bound=Disturbance)


@attrs.frozen
class DisturbedLife(Generic[D]):
    """The life of a backup whose calls are disturbed.

    Attributes:
        context: the rule's.
        resource: what is protected.
        disturb: makes a disturbance, such as one of the n-th request of each call, from the n.
        cancelled: whether each operation is cancelled when its work goes on.
        may_fail: whether the operations need not succeed.
        stalls: whether work that is to be cancelled may be made to stall; another process knows of
            no fault.
    """

    context: RuleContext
    resource: Resource
    disturb: Callable[[int], D]
    cancelled: bool = False
    may_fail: bool = False
    stalls: bool = True

    def run(self, number: int) -> D:
        """Run each verb, and let its end pass if it is whole and cleaned up behind.

        Raises:
            RuleViolation: it is not.
        """
        context, kind = self.context, self.resource.type
        disturbance = self.disturb(number)
        first = context.source.protect(self.resource) if context.copies(kind) else None
        before = context.inventory()
        protect = self._run_verb(disturbance, Verb.PROTECT, self.resource)
        if protect.result is Result.SUCCEEDED:
            backup = require_backup(protect)
        else:
            require_unchanged(context, before, _describe(protect, disturbance))
            backup = context.protect(self.resource)
        kept = context.inventory()
        for verb in context.supported_verbs(kind)[1:]:
            operation = self._run_verb(
                disturbance, verb, first if first and verb is Verb.COPY else backup
            )
            if operation.result is Result.SUCCEEDED and verb is Verb.COPY:
                copy = require_backup(operation)
                check_restore(context, copy)
                if context.supports(kind, Verb.DELETE):
                    context.run_successfully(Verb.DELETE, copy)
                else:
                    kept = context.inventory()
            elif operation.result is Result.SUCCEEDED and verb is Verb.RESTORE:
                check_restored_content(context, operation)
            elif operation.result is not Result.SUCCEEDED and verb is Verb.DELETE:
                check_whole_or_gone(context, backup)
                context.run_successfully(Verb.DELETE, backup)
            expected = before if verb is Verb.DELETE else kept
            require_unchanged(context, expected, _describe(operation, disturbance))
        return disturbance

    def _run_verb(
        self, disturbance: Disturbance, verb: Verb, target: Resource | Backup
    ) -> Operation:
        """Run a verb; its end is to be one that it may come to."""
        context = self.context
        operation = context.plan(verb, target)
        if self.cancelled:
            if self.stalls and Fault.STALL in context.harness.faults:
                context.inject_fault(Fault.STALL)
            # The second call is the one that begins work; a cancel before it is another rule's.
            for _ in range(2):
                operation = context.advance(disturbance.before_call(operation))
            operation = context.cancel(operation)
        operation = context.finish(operation, disturbance.before_call)
        disturbance.after_last_call()
        use_up_fault(context, self.resource)
        require_outcome(operation, *Result)
        may_fail = self.cancelled or self.may_fail
        failed = f"{_describe(operation, disturbance)}: {describe_operation(operation)}"
        require(may_fail or operation.result is Result.SUCCEEDED, failed)
        return operation


def run_until_unmet(life: DisturbedLife[D], numbers: Iterable[int]) -> list[D]:
    """Live a life with each number in turn, until no call is disturbed any more.

    Returns:
        The disturbances, the last one of which was met by no call unless the numbers ended.

    Raises:
        RuleViolation: an operation did not come to an end that it may come to.
    """
    done: list[D] = []
    for number in numbers:
        done.append(life.run(number))
        if not done[-1].met:
            break
    return done


def sample_points(limit: int, *, exhaustive: bool) -> Sequence[int]:
    """Return the numbers of the points at which calls are disturbed in turn.

    Args:
        limit: the highest number.
        exhaustive: whether to return each one; otherwise they lie further and further apart,
            since a long hook repeats itself.
    """
    if exhaustive:
        return range(1, limit + 1)
    return [number for number in _SAMPLE if number <= limit]


def _describe(operation: Operation, disturbance: Disturbance) -> str:
    cancelled = " and that was cancelled" if operation.cancel_requested else ""
    return f"a {operation.verb} whose calls {disturbance.description}{cancelled}"
