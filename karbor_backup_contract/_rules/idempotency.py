"""Rules about calls that are repeated or late, replies that are lost and processes that die."""

import contextlib
import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from karbor_backup_contract import _process_state as process_state
from karbor_backup_contract._assertions import (
    describe_operation,
    require,
    require_backup,
    require_outcome,
    require_success,
)
from karbor_backup_contract._context import CALLS_LIMIT, RuleContext
from karbor_backup_contract._registry import rule
from karbor_backup_contract._scenarios import (
    check_restore,
    check_restored_content,
    check_verbs_on_many,
    delete_restored,
    require_unchanged,
    run_lifecycle,
    verb_targets,
)
from karbor_backup_contract._violation import RuleViolation
from karbor_backup_contract.harness import Fault
from karbor_backup_contract.requirements import (
    CLOCK,
    INVENTORY,
    LATE_CALL_REJECTION,
    MULTI_PHASE_VERBS,
    requires_fault,
)
from karbor_backup_core import (
    Backup,
    Call,
    KarborBackupError,
    Operation,
    Progress,
    ProgressState,
    Resource,
    Result,
    Transient,
    Verb,
    next_call,
)

_DAY: Final = timedelta(days=1)


@rule(
    "C-401",
    "A call that is repeated under the same operation and phase begins nothing anew.",
    "Whoever takes over from a dead process cannot know whether its call was heard.",
    INVENTORY,
)
def repeated_call_starts_nothing(context: RuleContext) -> None:
    """Throw the first answer of each verb away, and ask again in another process."""
    kind = context.type_supporting(Verb.PROTECT, Verb.RESTORE, Verb.DELETE)
    backup = context.protect(context.create_resource(kind))
    for verb in context.supported_verbs(kind):
        operation = context.record_submission(verb, context.target_of(verb, backup))
        answer = context.process.backend.call_verb(operation)
        _repeat_call(context, operation, answer)


@rule(
    "C-402",
    "A reply that is lost is `Transient`, and the work that it spoke of is found again.",
    "Connections break after the request has been heard.",
    INVENTORY,
    requires_fault(Fault.LOSE_REPLY),
    mandatory=False,
)
def work_of_lost_reply_is_found(context: RuleContext) -> None:
    """Lose the reply of each verb that changes something, and ask again."""
    backup = context.protect(
        context.create_resource(context.type_supporting(Verb.PROTECT, Verb.RESTORE, Verb.DELETE))
    )
    for verb in context.supported_verbs(backup.resource.type):
        if verb is Verb.VERIFY:
            continue  # It changes nothing: whatever it began may be begun again.
        operation = context.record_submission(verb, context.target_of(verb, backup))
        context.inject_fault(Fault.LOSE_REPLY)
        _repeat_call(context, _call_until_reply_is_lost(context, operation), None)


@rule(
    "C-403",
    "Another backend object goes on between any two calls.",
    "Processes are restarted, and work is taken over by other machines: what a backend object "
    "remembers is lost.",
    INVENTORY,
)
def restart_between_calls_is_harmless(context: RuleContext) -> None:
    """Start another process before each call."""
    run_lifecycle(
        context, context.type_supporting(Verb.PROTECT, Verb.RESTORE, Verb.DELETE), context.restart
    )


@rule(
    "C-404",
    "Every answer can be lost once: the call is made again, by another object, to the same end.",
    "A process may die after each request and before it has written down what came of it.",
    INVENTORY,
)
def every_result_may_be_lost(context: RuleContext) -> None:
    """Make each call twice, the first time in a process that dies before it writes."""

    def lost(operation: Operation) -> Operation:
        return context.restart(operation) if _make_next_call(context, operation) else operation

    for kind in context.types_supporting(Verb.PROTECT, Verb.RESTORE, Verb.DELETE):
        run_lifecycle(context, kind, lost)


@rule(
    "C-405",
    "Work in several phases is gone on with from the receipt alone.",
    "A restore in three jobs must not begin anew, nor skip one, when the process dies between two.",
    MULTI_PHASE_VERBS,
    mandatory=False,
)
def phases_survive_restarts(context: RuleContext) -> None:
    """Start another process before each call of verbs that take several phases."""
    for verb in context.harness.multi_phase_verbs:
        phases = 0
        for kind in context.types_supporting(Verb.PROTECT, verb):
            resource = context.create_resource(kind)
            target = context.target_for(verb, resource)
            operation = context.run_successfully(verb, target, context.restart)
            if verb is Verb.RESTORE:
                check_restored_content(context, operation)
            phases = max(phases, operation.phase)
        require(phases > 1, f"{verb} was to take several phases, and took {phases}")


@rule(
    "C-406",
    "Two operations on the same resource are two pieces of work.",
    "Work is found again by the operation's id; found by the resource, it is somebody else's.",
    INVENTORY,
)
def operations_on_one_resource_are_distinct(context: RuleContext) -> None:
    """Begin two protects of one resource, both under doubt, and delete the first backup."""
    kind = context.type_supporting(Verb.PROTECT, Verb.RESTORE, Verb.DELETE)
    resource = context.create_resource(kind)
    planned = [context.record_submission(Verb.PROTECT, resource) for _ in range(2)]
    doubted = [context.restart(operation) for operation in planned]
    begun = [context.process.driver.step(operation) for operation in doubted]
    first, second = (require_success(context.finish(operation)) for operation in begun)
    if context.deletes:
        context.run_successfully(Verb.DELETE, context.store.backup(first.id))
    check_restore(context, context.store.backup(second.id))


@rule(
    "C-407",
    "A protect, copy, restore or delete that is called late changes nothing of what the "
    "operation's new owner has made.",
    "A process may be paused before its request, and go on when another one has done the work.",
    INVENTORY,
)
def late_calls_change_nothing(context: RuleContext) -> None:
    """Lose the operation to another process before each call, and call when that has succeeded."""
    kind = context.type_supporting(Verb.PROTECT, Verb.RESTORE, Verb.DELETE)
    resource = context.create_resource(kind)
    content = context.contents[resource.id]
    protected, late = _run_with_takeovers(context, Verb.PROTECT, resource)
    context.overwrite(resource)
    _call_late(context, protected, late)
    backup = require_backup(protected)
    restore, late = _run_with_takeovers(context, Verb.RESTORE, backup)
    restored = context.restored_resource(restore)
    require(context.read_content(restored) == content, "a late protect has changed the backup")
    changed = content[::-1]
    context.harness.resources.write(restored, changed)
    _call_late(context, restore, late)
    require(
        context.read_content(restored) == changed, "a late restore has changed what was restored"
    )
    delete_restored(context, restore, restored)
    if context.copies(kind):
        _check_late_copy(context, resource)
    if context.deletes:
        _call_late(context, *_run_with_takeovers(context, Verb.DELETE, backup))


def _check_late_copy(context: RuleContext, resource: Resource) -> None:
    first = context.source.protect(resource)
    copied, late = _run_with_takeovers(context, Verb.COPY, first)
    _call_late(context, copied, late)
    check_restore(context, require_backup(copied))


@rule(
    "C-408",
    "A protect, copy or restore that is called late makes nothing of an operation that left "
    "nothing.",
    "What a cancelled operation makes nobody would ever remove, nor a backup that was deleted.",
    INVENTORY,
    LATE_CALL_REJECTION,
    mandatory=False,
)
def late_calls_create_nothing(context: RuleContext) -> None:
    """Call late when the new owner was cancelled, and when its backup was deleted."""
    kind = context.type_supporting(Verb.PROTECT, Verb.RESTORE, Verb.DELETE)
    resource = context.create_resource(kind)
    protected, late = _run_with_takeovers(context, Verb.PROTECT, resource)
    backup = require_backup(protected)
    for verb in context.supported_verbs(kind):
        if verb not in (Verb.PROTECT, Verb.COPY, Verb.RESTORE):
            continue
        first = context.record_submission(verb, context.target_of(verb, backup))
        cancelled = context.finish(context.cancel(context.restart(first)))
        require_outcome(cancelled, Result.CANCELLED)
        _call_late(context, cancelled, [first])
    if context.deletes:
        context.run_successfully(Verb.DELETE, backup)
        _call_late(context, protected, late)


@rule(
    "C-409",
    "Another process goes on in another working directory and time zone, and with another umask.",
    "A service of the machine goes on with what somebody began in a shell.",
    INVENTORY,
)
def surroundings_are_of_no_effect(context: RuleContext) -> None:
    """Live a life whose calls are made in changing surroundings."""
    kind = context.type_supporting(Verb.PROTECT, Verb.RESTORE, Verb.DELETE)
    with process_state.changing_surroundings() as change:

        def moved(operation: Operation) -> Operation:
            change()
            return context.restart(operation)

        run_lifecycle(context, kind, moved)


@rule(
    "C-414",
    "What was begun is found again on another day.",
    "Machines are switched off in the evening, and a name with a date in it is another one then.",
    INVENTORY,
    CLOCK,
    mandatory=False,
    since="1.1",
)
def work_is_found_another_day(context: RuleContext) -> None:
    """Throw the first answer of each verb away, and ask again in another process a day later."""
    for verb, target in verb_targets(context):
        planned = context.plan(verb, target, deadline=2 * _DAY)
        operation = context.process.driver.step(planned)
        answer = context.process.backend.call_verb(operation)
        context.wait(_DAY)
        _repeat_call(context, operation, answer)


@rule(
    "C-415",
    "Operations whose ids are alike but for one character are told apart.",
    "A name that was shortened to what fits a column is another operation's as well.",
    INVENTORY,
    since="1.1",
)
def similar_operation_ids_are_told_apart(context: RuleContext) -> None:
    """Begin each verb under doubt on several resources, under ids that are alike."""

    def run(verb: Verb, targets: Sequence[Resource | Backup]) -> list[Operation]:
        planned = [
            context.plan(verb, target, identifier=identifier)
            for target, identifier in zip(targets, _similar_ids(), strict=True)
        ]
        submitted = [context.process.driver.step(each) for each in planned]
        doubted = [context.restart(each) for each in submitted]
        begun = [context.process.driver.step(each) for each in doubted]
        return [require_success(context.finish(each)) for each in begun]

    check_verbs_on_many(context, len(_similar_ids()), run)


def _similar_ids() -> tuple[str, str, str]:
    """Return ids of which the second ends, and the third begins, in another way than the first."""
    identifier = str(uuid.uuid4())
    first, last = ("1" if identifier[place] == "0" else "0" for place in (0, -1))
    return identifier, identifier[:-1] + last, first + identifier[1:]


def _run_with_takeovers(
    context: RuleContext, verb: Verb, target: Resource | Backup
) -> tuple[Operation, list[Operation]]:
    """Let another process take an operation over before each call.

    Returns:
        The operation, which has succeeded, and what the calls would have been made with.
    """
    late: list[Operation] = []

    def paused(operation: Operation) -> Operation:
        if next_call(operation, context.clock()) not in (Call.VERB, Call.RELEASE):
            return operation
        late.append(operation)
        return context.restart(operation)

    return context.run_successfully(verb, target, paused), late


def _call_late(context: RuleContext, operation: Operation, late: Sequence[Operation]) -> None:
    """Make the calls of processes that have lost an operation; the service may refuse them."""
    before = context.inventory()
    for each in late:
        _make_next_call(context, each)
        require_unchanged(context, before, f"a late call of a {operation.verb}, phase {each.phase}")


def _call_until_reply_is_lost(context: RuleContext, operation: Operation) -> Operation:
    """Go on to the call whose reply is lost, through phases that begin nothing outside."""
    for _ in range(CALLS_LIMIT):
        try:
            answer = context.process.backend.call_verb(operation)
        except Transient:
            return operation
        heard = f"{operation.verb} answered {answer.state} although the reply was lost"
        require(answer.state is ProgressState.READY, heard)
        operation = context.advance_phase(operation)
    raise RuleViolation(f"{describe_operation(operation)}, and loses no reply")


def _repeat_call(context: RuleContext, operation: Operation, answer: Progress | None) -> None:
    """Repeat a call whose answer was not stored, and see the operation to its end."""
    before = context.inventory()
    again = context.restart(operation)
    stored = context.process.driver.step(again)
    after = context.inventory()
    more = after.bookkeeping - before.bookkeeping
    if answer is not None and answer.state is ProgressState.SUCCEEDED:
        more |= after.data - before.data
    require(not more, f"a repeated {operation.verb} began anew: {', '.join(sorted(more))}")
    require_outcome(context.finish(stored), Result.SUCCEEDED)


def _make_next_call(context: RuleContext, operation: Operation) -> bool:
    """Make the call that comes next and forget its answer, unless it only reads."""
    backend = context.process.backend
    with contextlib.suppress(KarborBackupError):
        match next_call(operation, context.clock()):
            case Call.VERB:
                backend.call_verb(operation)
            case Call.RELEASE:
                backend.release(operation)
            case _:
                return False
    return True
