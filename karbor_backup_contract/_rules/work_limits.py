"""Rules about a declared limit of work at once: what is beyond it waits for its turn."""

from collections.abc import Sequence

from karbor_backup_contract._assertions import require, require_outcome, require_success
from karbor_backup_contract._context import CALLS_LIMIT, RuleContext
from karbor_backup_contract._registry import rule
from karbor_backup_contract._scenarios import (
    advance_until_fault,
    check_verbs_on_many,
    require_unchanged,
    use_up_fault,
)
from karbor_backup_contract.harness import Fault
from karbor_backup_contract.requirements import INVENTORY, WORK_LIMIT, requires_fault
from karbor_backup_core import Backup, Operation, Resource, Result, State, Verb

_BEYOND_LIMIT = 2


@rule(
    "C-510",
    "Work that is begun beyond the declared limit is `queued` until there is room; all of it is "
    "done.",
    "A runner begins no more than the limit, and several processes may each have one.",
    WORK_LIMIT,
    mandatory=False,
    since="1.1",
)
def work_beyond_limit_is_queued(context: RuleContext) -> None:
    """Begin each verb more often than may be worked on at once, and poll until all has ended."""
    limit = _declared_limit(context)

    def run(verb: Verb, targets: Sequence[Resource | Backup]) -> list[Operation]:
        return _run_within(context, limit, [context.start(verb, each) for each in targets])

    check_verbs_on_many(context, limit + _BEYOND_LIMIT, run)


@rule(
    "C-511",
    "Queued work can be cancelled before its turn, and leaves nothing.",
    "Who waits behind work that hangs must be able to leave the queue.",
    WORK_LIMIT,
    INVENTORY,
    requires_fault(Fault.STALL),
    mandatory=False,
    since="1.1",
)
def queued_work_can_be_cancelled(context: RuleContext) -> None:
    """Cancel a protect that waits behind work which does not end."""
    kind = context.type_supporting(Verb.PROTECT)
    resources = [context.create_resource(kind) for _ in range(_declared_limit(context) + 1)]
    stalled = [_start_stalled(context, each) for each in resources[1:]]
    before = context.inventory()
    waiting = context.start(Verb.PROTECT, resources[0])
    if waiting.state is State.RUNNING:
        (waiting,) = context.poll([waiting])
    ended = context.finish(context.cancel(waiting))
    require_outcome(ended, Result.CANCELLED)
    require_unchanged(context, before, "a cancel of a protect that was queued")
    for operation in stalled:
        context.finish(context.cancel(operation))
    use_up_fault(context, resources[0])


def _declared_limit(context: RuleContext) -> int:
    limit = context.process.backend.info.work_limit
    assert limit is not None  # noqa: S101 - the rules need it
    return limit


def _start_stalled(context: RuleContext, resource: Resource) -> Operation:
    context.inject_fault(Fault.STALL)
    return advance_until_fault(context, context.start(Verb.PROTECT, resource))


def _run_within(context: RuleContext, limit: int, begun: list[Operation]) -> list[Operation]:
    """Poll for operations until they ended; see no more worked on at once, and all succeed."""
    earlier: set[str] = set()
    for _ in range(CALLS_LIMIT):
        running = [operation for operation in begun if operation.state is State.RUNNING]
        if not running:
            break
        rest = [operation for operation in begun if operation.state is not State.RUNNING]
        polled = context.poll(running)
        working = {each.id for each in polled if each.state is State.RUNNING and not each.queued}
        # One poll may look at one operation after another; what two polls see went on in between.
        at_once = len(working & earlier)
        require(at_once <= limit, f"{at_once} operations are running, and the limit is {limit}")
        earlier, begun = working, rest + polled
    return [require_success(context.finish(operation)) for operation in begun]
