"""Rules about work that fails, and services that refuse."""

from collections.abc import Callable

import attrs

from karbor_backup_contract._assertions import describe_operation, require, require_outcome
from karbor_backup_contract._context import CALLS_LIMIT, RuleContext
from karbor_backup_contract._registry import rule
from karbor_backup_contract._scenarios import check_restore, require_unchanged
from karbor_backup_contract._violation import RuleViolation
from karbor_backup_contract.harness import Fault
from karbor_backup_contract.requirements import INVENTORY, requires_fault
from karbor_backup_core import (
    BackendError,
    InvalidInput,
    KarborBackupError,
    Operation,
    Outcome,
    Progress,
    ProgressState,
    Result,
    State,
    Transient,
    Verb,
)

_CREATING_VERBS = (Verb.PROTECT, Verb.RESTORE)
_UNFINISHED_STATES = (ProgressState.RUNNING, ProgressState.READY)
_FAILED_OUTCOME = Outcome(Result.FAILED, reason="contract")


@rule(
    "C-601",
    "Work that fails is `failed` with a reason: data, not an exception.",
    "An exception is a broken call, which core repeats; failed work is not repeated.",
    requires_fault(Fault.FAIL),
    mandatory=False,
)
def failure_is_data(context: RuleContext) -> None:
    """Make a protect fail, and look at the answer itself."""
    resource = context.create_resource(context.type_supporting(Verb.PROTECT))
    operation = context.record_submission(Verb.PROTECT, resource)
    context.inject_fault(Fault.FAIL)
    try:
        answer = _wait_for_final_progress(context, operation)
    except KarborBackupError as error:
        raise RuleViolation(f"work that failed raised {error!r}") from error
    require(answer.state is ProgressState.FAILED, f"work that failed is {answer.state}")
    require(answer.reason, "work that failed has no reason")


@rule(
    "C-602",
    "After work that failed, its release removes everything that it made, but for members whose "
    "parts say that they were restored.",
    "Half a backup costs as much as a whole one, and half a volume looks like one.",
    INVENTORY,
    requires_fault(Fault.FAIL),
    mandatory=False,
)
def failure_leaves_nothing(context: RuleContext) -> None:
    """Make a protect and a restore of each type fail, and compare what there is."""
    for kind in context.types_supporting(*_CREATING_VERBS):
        resource = context.create_resource(kind)
        for verb in _CREATING_VERBS:
            target = context.target_for(verb, resource)
            before = context.inventory()
            context.inject_fault(Fault.FAIL)
            operation = context.run(verb, target)
            require_outcome(operation, Result.FAILED)
            for part in operation.outcome.parts if operation.outcome else ():
                if part.restored is not None:
                    context.harness.resources.delete(part.restored)
            require_unchanged(context, before, f"a {verb} of {kind} that failed")


@rule(
    "C-603",
    "A restore that fails leaves the backup whole.",
    "It will be tried again.",
    requires_fault(Fault.FAIL),
    mandatory=False,
)
def failed_restore_keeps_backup(context: RuleContext) -> None:
    """Make a restore fail, then restore."""
    backup = context.protect(context.create_resource(context.type_supporting(*_CREATING_VERBS)))
    context.inject_fault(Fault.FAIL)
    require_outcome(context.run(Verb.RESTORE, backup), Result.FAILED)
    check_restore(context, backup)


@rule(
    "C-604",
    "A request that is refused for now makes the hook raise `Transient` after one attempt.",
    "Only core repeats, after a time that is written down; a hook that repeats blocks a thread.",
    requires_fault(Fault.BUSY),
    mandatory=False,
)
def busy_is_transient(context: RuleContext) -> None:
    """Refuse the first request of each hook, and then let the operation succeed."""
    kind = context.type_supporting(*_CREATING_VERBS)
    backup = context.protect(context.create_resource(kind))
    for verb in context.supported_verbs(kind):
        operation = context.record_submission(
            verb, backup.resource if verb is Verb.PROTECT else backup
        )
        _require_transient(context, verb, context.process.backend.call_verb, operation)
        operation = context.process.driver.step(context.restart(operation))
        if operation.state is State.RUNNING:
            _require_transient(
                context, "poll", lambda it: context.process.backend.poll([it]), operation
            )
            over = attrs.evolve(operation, state=State.RELEASING, outcome=_FAILED_OUTCOME)
            _require_transient(context, "release", context.process.backend.release, over)
        require_outcome(context.finish(operation), Result.SUCCEEDED)


@rule(
    "C-605",
    "A request that is refused for good makes the operation fail at once, and leaves nothing.",
    "A wrong password does not become right by being sent ten times.",
    INVENTORY,
    requires_fault(Fault.REFUSE),
    mandatory=False,
)
def permanent_refusal_fails_at_once(context: RuleContext) -> None:
    """Refuse the first request of each verb, and of a release."""
    kind = context.type_supporting(*_CREATING_VERBS)
    backup = context.protect(context.create_resource(kind))
    before = context.inventory()
    for verb in context.supported_verbs(kind):
        operation = context.record_submission(
            verb, backup.resource if verb is Verb.PROTECT else backup
        )
        context.inject_fault(Fault.REFUSE)
        stored = context.process.driver.step(operation)
        if _fault_is_pending(context):
            context.finish(stored)
            continue
        again = f"{verb} that was refused for good is to be repeated: {stored.last_error}"
        require(stored.outcome, again)
        require_outcome(context.finish(stored), Result.FAILED)
        require_unchanged(context, before, f"a {verb} that was refused")
    over = attrs.evolve(operation, state=State.RELEASING, outcome=_FAILED_OUTCOME)
    context.inject_fault(Fault.REFUSE)
    try:
        context.process.backend.release(over)
    except Transient as error:
        raise RuleViolation(
            f"a release that was refused for good is to be repeated: {error}"
        ) from error
    except BackendError:
        return
    require(_fault_is_pending(context), "a release succeeded although it was refused")


@rule(
    "C-606",
    "What could not be removed is named in `leftovers`.",
    "Somebody has to find it, and pays for it until then.",
    INVENTORY,
    requires_fault(Fault.FAIL_CLEANUP),
    mandatory=False,
)
def leftovers_are_named(context: RuleContext) -> None:
    """Make a protect fail whose remains cannot be removed."""
    resource = context.create_resource(context.type_supporting(Verb.PROTECT))
    before = context.inventory()
    context.inject_fault(Fault.FAIL_CLEANUP)
    operation = context.run(Verb.PROTECT, resource)
    outcome = operation.outcome
    require(
        outcome and outcome.result is Result.FAILED, f"{describe_operation(operation)}, not failed"
    )
    left = context.inventory().data - before.data
    named = " ".join(leftover.id for leftover in outcome.leftovers) if outcome else ""
    require(left, "nothing is left, although nothing could be removed")
    require(named, f"left and not named: {', '.join(sorted(left))}")


@rule(
    "C-607",
    "Work that the service has forgotten fails, and what it made is removed.",
    "Services lose their memory in restarts; an operation must not wait for ever.",
    INVENTORY,
    requires_fault(Fault.LOSE_WORK),
    mandatory=False,
)
def lost_work_fails(context: RuleContext) -> None:
    """Let the service forget a protect that is running."""
    resource = context.create_resource(context.type_supporting(Verb.PROTECT))
    before = context.inventory()
    operation = context.start_running(Verb.PROTECT, resource)
    context.inject_fault(Fault.LOSE_WORK)
    for _ in range(CALLS_LIMIT):
        if operation.state is not State.RUNNING or operation.cancel_sent:
            break
        operation = context.advance(operation)
    require_outcome(context.finish(operation), Result.FAILED)
    require_unchanged(context, before, "work that was forgotten")


def _wait_for_final_progress(context: RuleContext, operation: Operation) -> Progress:
    """Return how the work ends, as the hooks say it."""
    answer = context.process.backend.call_verb(operation)
    for _ in range(CALLS_LIMIT):
        if answer.state not in _UNFINISHED_STATES:
            break
        if answer.state is ProgressState.READY:
            operation = context.advance_phase(operation)
            answer = context.process.backend.call_verb(operation)
        else:
            context.wait()
            answer = context.process.backend.poll([operation])[operation.id]
    return answer


def _require_transient(
    context: RuleContext, hook: str, call: Callable[[Operation], object], operation: Operation
) -> None:
    """Let the first request of a hook be refused; a hook that makes none may answer."""
    context.inject_fault(Fault.BUSY)
    try:
        call(operation)
    except Transient:
        return
    except (BackendError, InvalidInput) as error:
        raise RuleViolation(f"{hook} calls it final that the service is busy: {error!r}") from error
    silent = _fault_is_pending(context)
    require(silent, f"{hook} answered although the service was busy: one attempt is to be made")


def _fault_is_pending(context: RuleContext) -> bool:
    """Say whether a fault has met no request yet; if so it meets a check now."""
    silent = bool(context.harness.pending_faults is not None and context.harness.pending_faults())
    if silent:
        context.process.backend.health()
    return silent
