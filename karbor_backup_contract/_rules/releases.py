"""Rules about ``release``: the service keeps nothing of an operation that is over."""

import attrs

from karbor_backup_contract._assertions import require, require_running
from karbor_backup_contract._context import RuleContext
from karbor_backup_contract._registry import rule
from karbor_backup_contract._scenarios import (
    check_restore,
    require_unchanged,
    run_lifecycle,
    start_each_verb,
    verb_targets,
)
from karbor_backup_contract.harness import Fault
from karbor_backup_contract.requirements import DELETE, INVENTORY, requires_fault
from karbor_backup_core import (
    Backend,
    Operation,
    Outcome,
    Progress,
    ProgressState,
    Result,
    State,
    Verb,
)

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
        context.run_successfully(verb, context.target_of(verb, backup))
        left = context.inventory().bookkeeping - before
        require(not left, f"left after a {verb}: {', '.join(sorted(left))}")


@rule(
    "C-802",
    "A protect and a delete leave the service as it was, for every type.",
    "What a delete forgets is paid for until somebody looks.",
    INVENTORY,
    DELETE,
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
    """Release each verb again, in another process, and restore the backup."""
    for verb, target in verb_targets(context):
        operation = context.run_successfully(verb, target)
        before = context.inventory()
        again = attrs.evolve(operation, state=State.RELEASING)
        _release(context, context.start_process().backend, again, f"a second release of a {verb}")
        require_unchanged(context, before, f"a second release of a {verb}")
        if operation.makes_backup and context.supports(operation.resource.type, Verb.RESTORE):
            check_restore(context, context.store.backup(operation.id))


@rule(
    "C-804",
    "A release of an operation of which nothing was begun succeeds.",
    "A call that was refused is released like any other.",
    INVENTORY,
)
def release_without_work_succeeds(context: RuleContext) -> None:
    """Release what was never begun, for each verb."""
    for verb, target in verb_targets(context):
        operation = context.record_submission(verb, target)
        before = context.inventory()
        over = attrs.evolve(operation, state=State.RELEASING, outcome=_FAILED_OUTCOME)
        _release(context, context.process.backend, over, f"a release of a {verb} never begun")
        require_unchanged(context, before, f"a release of a {verb} that was never begun")


@rule(
    "C-805",
    "A release never touches work that still runs: it is `running` until that ended.",
    "Bookkeeping removed too early makes orphans: they run on, and nobody can find them.",
    INVENTORY,
    requires_fault(Fault.STALL),
    mandatory=False,
)
def running_work_is_not_released(context: RuleContext) -> None:
    """Release work of each verb that never ends, then cancel it."""
    for started in start_each_verb(context, Fault.STALL):
        operation = require_running(started.operation)
        before = context.inventory()
        over = attrs.evolve(operation, state=State.RELEASING, outcome=_FAILED_OUTCOME)
        answer = context.process.backend.release(over)
        require(answer.state.active, f"a release of a running {operation.verb} is {answer.state}")
        require_unchanged(context, before, f"a release of a running {operation.verb}")
        context.finish(context.cancel(operation))


def _release(context: RuleContext, backend: Backend, operation: Operation, what: str) -> None:
    """Release an operation until the service is done with that, which is to be a success."""
    answers: list[Progress] = []

    def has_ended() -> bool:
        answers.append(backend.release(operation))
        return not answers[-1].state.active

    context.wait_until(has_ended)
    require(answers[-1].state is ProgressState.SUCCEEDED, f"{what} is {answers[-1].state}")
