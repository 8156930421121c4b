"""Rules about work that fails, and services that refuse."""

from collections.abc import Callable, Collection
from typing import TypeVar

import attrs

from karbor_backup_contract._assertions import (
    describe_operation,
    require,
    require_outcome,
    require_success,
)
from karbor_backup_contract._context import CALLS_LIMIT, RuleContext
from karbor_backup_contract._registry import rule
from karbor_backup_contract._scenarios import (
    check_restore,
    check_whole_or_gone,
    delete_restored,
    require_unchanged,
    use_up_fault,
    verb_targets,
)
from karbor_backup_contract._violation import RuleViolation
from karbor_backup_contract.harness import Fault
from karbor_backup_contract.requirements import DELETE, INVENTORY, requires_fault
from karbor_backup_core import (
    BackendError,
    Backup,
    InvalidInput,
    KarborBackupError,
    Leftover,
    Operation,
    Outcome,
    Progress,
    ProgressState,
    Resource,
    Result,
    State,
    Transient,
    Verb,
)

_CREATING_VERBS = (Verb.PROTECT, Verb.RESTORE)
_ENDINGS = {"failure": Fault.FAIL, "cancel": Fault.STALL}
_UNFINISHED_STATES = (ProgressState.RUNNING, ProgressState.QUEUED, ProgressState.READY)
_FAILED_OUTCOME = Outcome(Result.FAILED, reason="contract")
_Answer = TypeVar("_Answer")


@rule(
    "C-601",
    "Work that fails is `failed` with a reason: data, not an exception.",
    "An exception is a broken call, which core repeats; failed work is not repeated.",
    requires_fault(Fault.FAIL),
    mandatory=False,
)
def failure_is_data(context: RuleContext) -> None:
    """Make each verb fail, and look at the answer itself."""
    for verb, target in verb_targets(context):
        if not context.has_pending_fault():
            context.inject_fault(Fault.FAIL)
        operation = context.record_submission(verb, target)
        try:
            answer = _wait_for_final_progress(context, operation)
        except KarborBackupError as error:
            raise RuleViolation(f"a {verb} that failed raised {error!r}") from error
        # Going on to a later phase has stored it anew.
        context.finish(context.restart(context.store.operation(operation.id)))
        if context.has_pending_fault():
            continue  # It began no work that could fail; the next verb's does.
        require(answer.state is ProgressState.FAILED, f"a {verb} that failed is {answer.state}")
        require(answer.reason, f"a {verb} that failed has no reason")
    use_up_fault(context)


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
    """Make a protect, a restore and a copy of each type fail, and compare what there is."""
    for kind in context.types_supporting(*_CREATING_VERBS):
        resource = context.create_resource(kind)
        for verb in (*_CREATING_VERBS, *([Verb.COPY] if context.copies(kind) else [])):
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
    for verb, target in context.targets_of(backup):
        operation = context.record_submission(verb, target)
        _require_transient(context, verb, context.process.backend.call_verb, operation)
        operation = context.process.driver.step(context.restart(operation))
        if operation.state is State.RUNNING:
            _require_transient(
                context, "poll", lambda it: context.process.backend.poll([it]), operation
            )
            over = attrs.evolve(operation, state=State.RELEASING, outcome=_FAILED_OUTCOME)
            released = _require_transient(context, "release", context.process.backend.release, over)
            if released is not None and released.state is ProgressState.SUCCEEDED:
                # It needed no request, and so it has removed the work: nothing is left to succeed.
                context.finish(operation)
                continue
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
    targets = context.targets_of(backup)
    before = context.inventory()
    for verb, target in targets:
        operation = context.record_submission(verb, target)
        context.inject_fault(Fault.REFUSE)
        stored = context.process.driver.step(operation)
        if context.absorb_fault():
            context.finish(stored)
            continue
        again = f"{verb} that was refused for good is to be repeated: {stored.retry.last_error}"
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
    require(context.absorb_fault(), "a release succeeded although it was refused")


@rule(
    "C-606",
    "What could not be removed is named in `leftovers`, by its id or by the operation's.",
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
    leftovers = outcome.leftovers if outcome else ()
    lost = sorted(each for each in left if not any(_names(x, each, operation) for x in leftovers))
    require(not lost, f"left and not named: {', '.join(lost)}; named: {named}")
    require(left or not named, f"named as left, and not there: {named}")


@rule(
    "C-607",
    "Work that the service has forgotten fails, and what it made is removed.",
    "Services lose their memory in restarts; an operation must not wait for ever.",
    INVENTORY,
    requires_fault(Fault.LOSE_WORK),
    mandatory=False,
)
def lost_work_fails(context: RuleContext) -> None:
    """Let the service forget the work of each verb while it runs."""
    for verb, target in verb_targets(context):
        before = context.inventory()
        operation = context.start(verb, target)
        if operation.state is not State.RUNNING:
            context.finish(operation)
            continue
        context.inject_fault(Fault.LOSE_WORK)
        for _ in range(CALLS_LIMIT):
            if operation.state is not State.RUNNING or operation.cancel_sent:
                break
            operation = context.advance(operation)
        require_outcome(context.finish(operation), Result.FAILED)
        if verb is Verb.DELETE:
            context.run_successfully(verb, target)
        else:
            require_unchanged(context, before, f"a {verb} that was forgotten")


@rule(
    "C-608",
    "A delete that failed leaves its backup whole or gone, and can be repeated.",
    "Nobody knows what half a backup is good for, and it is paid for as long as it is there.",
    INVENTORY,
    DELETE,
    requires_fault(Fault.FAIL),
    mandatory=False,
)
def failed_delete_is_repeatable(context: RuleContext) -> None:
    """Make a delete of each type fail, restore the backup if that goes, and delete it again."""
    for kind in context.types_supporting(Verb.PROTECT, Verb.RESTORE, Verb.DELETE):
        resource = context.create_resource(kind)
        before = context.inventory()
        backup = context.protect(resource)
        if not context.has_pending_fault():
            context.inject_fault(Fault.FAIL)
        deleted = context.run(Verb.DELETE, backup)
        if context.has_pending_fault():
            require_success(deleted)  # It began no work outside that could fail.
        else:
            require_outcome(deleted, Result.FAILED)
            check_whole_or_gone(context, backup)
        context.run_successfully(Verb.DELETE, backup)
        require_unchanged(context, before, f"a delete of {kind} that failed and was repeated")
        use_up_fault(context)


@rule(
    "C-609",
    "Nothing but its own target is changed by a restore, whether it succeeds, fails or is "
    "cancelled, and nothing at all by the other verbs.",
    "A backup program that writes where nobody asked it to is worse than none.",
    mandatory=False,
)
def other_resources_are_unchanged(context: RuleContext) -> None:
    """Read a neighbour's content, and the resource's own, after each verb in each way."""
    kind = context.type_supporting(*_CREATING_VERBS)
    neighbour = context.create_resource(kind, "contract")
    context.protect(neighbour)
    restores_beside = False
    for ending in ("success", *(name for name in _ENDINGS if _ENDINGS[name] in _faults(context))):
        for verb, target in verb_targets(context, kind):
            resource = target.resource if isinstance(target, Backup) else target
            context.overwrite(resource)
            restored = _run_to(context, verb, target, ending)
            if restored is not None:
                restores_beside = restored.id != resource.id
            what = f"a {verb} that ended in {ending}"
            _require_content(context, neighbour, f"{what} of another resource")
            if verb is not Verb.RESTORE or restores_beside:
                _require_content(context, resource, what)
        use_up_fault(context)


@rule(
    "C-612",
    "A restore leaves what an earlier one has made, whether it succeeds, fails or is cancelled.",
    "Somebody works with what was restored this morning.",
    mandatory=False,
    since="1.1",
)
def later_restores_spare_earlier_ones(context: RuleContext) -> None:
    """Restore a backup, then another one of the same resource in each way, and read the first."""
    resource = context.create_resource(context.type_supporting(*_CREATING_VERBS))
    content = context.contents[resource.id]
    first = context.protect(resource)
    context.overwrite(resource)
    second = context.protect(resource)
    earlier = context.run_successfully(Verb.RESTORE, first)
    restored = context.restored_resource(earlier)
    for ending in ("success", *(name for name in _ENDINGS if _ENDINGS[name] in _faults(context))):
        later = _run_to(context, Verb.RESTORE, second, ending)
        if later is not None and later.id == restored.id:
            return  # It was asked for: both are restored to the same place.
        seen = context.read_content(restored)
        what = f"a later restore that ended in {ending}"
        require(seen == content, f"{what} has changed {restored.id} from {content!r} to {seen!r}")
    use_up_fault(context)
    delete_restored(context, earlier, restored)


def _names(leftover: Leftover, identifier: str, operation: Operation) -> bool:
    """Return whether a leftover leads to what the harness lists by an id."""
    told = f"{leftover.id} {leftover.note}"
    return leftover.id in identifier or identifier in told or operation.id in told


def _faults(context: RuleContext) -> Collection[Fault]:
    return context.harness.faults.keys()


def _run_to(
    context: RuleContext, verb: Verb, target: Resource | Backup, ending: str
) -> Resource | None:
    """See an operation to an end, whichever it is if it begins no work that can be disturbed.

    Returns:
        What was restored, if it was.
    """
    if ending in _ENDINGS and not context.has_pending_fault():
        context.inject_fault(_ENDINGS[ending])
    operation = context.start(verb, target)
    if ending == "cancel":
        operation = context.cancel(operation)
    operation = context.finish(operation)
    succeeded = operation.outcome and operation.outcome.result is Result.SUCCEEDED
    if verb is not Verb.RESTORE or not succeeded:
        return None
    restored = context.restored_resource(operation)
    delete_restored(context, operation, restored)
    return restored


def _require_content(context: RuleContext, resource: Resource, what: str) -> None:
    seen, content = context.read_content(resource), context.contents[resource.id]
    require(seen == content, f"{what} has changed {resource.id} from {content!r} to {seen!r}")


def _wait_for_final_progress(context: RuleContext, operation: Operation) -> Progress:
    """Return how the work ends, as the hooks say it."""
    answer = context.process.backend.call_verb(operation)
    for _ in range(context.calls_limit):
        if answer.state not in _UNFINISHED_STATES:
            break
        if answer.state is ProgressState.READY:
            operation = context.advance_phase(operation)
            answer = context.process.backend.call_verb(operation)
        else:
            # A service may know its work by the receipt at once, and by the operation only later.
            receipt = operation.receipt if answer.receipt is None else answer.receipt
            operation = attrs.evolve(operation, receipt=receipt, state=State.RUNNING)
            context.wait()
            answer = context.process.backend.poll([operation])[operation.id]
    return answer


def _require_transient(
    context: RuleContext, hook: str, call: Callable[[Operation], _Answer], operation: Operation
) -> _Answer | None:
    """Let the first request of a hook be refused; a hook that makes none may answer.

    Returns:
        The answer; None if the request was refused.
    """
    context.inject_fault(Fault.BUSY)
    try:
        answer = call(operation)
    except Transient:
        return None
    except (BackendError, InvalidInput) as error:
        raise RuleViolation(f"{hook} calls it final that the service is busy: {error!r}") from error
    silent = context.absorb_fault()
    require(silent, f"{hook} answered although the service was busy: one attempt is to be made")
    return answer
