"""Rules about ``release``: the service keeps nothing of an operation that is over."""

import attrs

from karbor_backup_contract._assertions import require
from karbor_backup_contract._context import RuleContext
from karbor_backup_contract._registry import rule
from karbor_backup_contract._scenarios import check_restore, require_unchanged, run_lifecycle
from karbor_backup_contract.harness import Fault
from karbor_backup_contract.requirements import INVENTORY, requires_fault
from karbor_backup_core import Outcome, ProgressState, Result, State, Verb

_FAILED_OUTCOME = Outcome(Result.FAILED, reason="the contract says so")


@rule(
    "C-801",
    "After a success the service keeps no bookkeeping of the operation.",
    "A job a night for each volume fills any table.",
    INVENTORY,
)
def success_leaves_no_bookkeeping(context: RuleContext) -> None:
    """Compare the bookkeeping before and after each verb."""
    kind = context.type_supporting(Verb.PROTECT, Verb.DELETE)
    before = context.inventory().bookkeeping
    backup = context.protect(context.create_resource(kind))
    for verb in context.supported_verbs(kind):
        context.run_successfully(verb, backup.resource if verb is Verb.PROTECT else backup)
        left = context.inventory().bookkeeping - before
        require(not left, f"left after a {verb}: {', '.join(sorted(left))}")


@rule(
    "C-802",
    "A protect and a delete leave the service as it was, for every type.",
    "What a delete forgets is paid for until somebody looks.",
    INVENTORY,
)
def delete_leaves_nothing(context: RuleContext) -> None:
    """Live through the life of a backup of each type."""
    for kind in context.types_supporting(Verb.PROTECT, Verb.RESTORE, Verb.DELETE):
        run_lifecycle(context, kind)


@rule(
    "C-803",
    "A release that is repeated succeeds, and spares the backup.",
    "A process may die between the release and the note of it.",
    INVENTORY,
)
def release_is_idempotent(context: RuleContext) -> None:
    """Release a protect again, in another process, and restore the backup."""
    operation = context.run_successfully(
        Verb.PROTECT, context.create_resource(context.type_supporting(Verb.PROTECT, Verb.RESTORE))
    )
    before = context.inventory()
    again = attrs.evolve(operation, state=State.RELEASING)
    answer = context.start_process().backend.release(again)
    require(answer.state is ProgressState.SUCCEEDED, f"a second release is {answer.state}")
    require_unchanged(context, before, "a second release")
    check_restore(context, context.store.backup(operation.id))


@rule(
    "C-804",
    "A release of an operation of which nothing was begun succeeds.",
    "A call that was refused is released like any other.",
    INVENTORY,
)
def release_without_work_succeeds(context: RuleContext) -> None:
    """Release what was never begun."""
    operation = context.record_submission(
        Verb.PROTECT, context.create_resource(context.type_supporting(Verb.PROTECT))
    )
    before = context.inventory()
    over = attrs.evolve(operation, state=State.RELEASING, outcome=_FAILED_OUTCOME)
    answer = context.process.backend.release(over)
    require(answer.state is ProgressState.SUCCEEDED, f"a release of nothing is {answer.state}")
    require_unchanged(context, before, "a release of nothing")


@rule(
    "C-805",
    "A release never touches work that still runs: it is `running` until that ended.",
    "Bookkeeping removed too early makes orphans: they run on, and nobody can find them.",
    INVENTORY,
    requires_fault(Fault.STALL),
    mandatory=False,
)
def running_work_is_not_released(context: RuleContext) -> None:
    """Release a protect that never ends, then cancel it."""
    resource = context.create_resource(context.type_supporting(Verb.PROTECT))
    context.inject_fault(Fault.STALL)
    operation = context.start_running(Verb.PROTECT, resource)
    before = context.inventory()
    over = attrs.evolve(operation, state=State.RELEASING, outcome=_FAILED_OUTCOME)
    answer = context.process.backend.release(over)
    require(answer.state is ProgressState.RUNNING, f"a release of running work is {answer.state}")
    require_unchanged(context, before, "a release of running work")
    context.finish(context.cancel(operation))
