"""The whole life of a backup, disturbed as a rule asks for."""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Final

import attrs

from karbor_backup_contract._assertions import require, require_backup, require_outcome
from karbor_backup_contract._context import BeforeCall, RuleContext
from karbor_backup_contract.harness import Fault, Inventory
from karbor_backup_core import Backup, Operation, Resource, Result, Verb

_SHOWN_BYTES: Final = 100


def check_restore(
    context: RuleContext, backup: Backup, between: BeforeCall | None = None
) -> Operation:
    """Restore a backup into something that is then removed; its content must be the backup's.

    The content is that which the resource was written last, since nothing else is asked for here.

    Raises:
        RuleViolation: it is not, or the restore does not succeed.
    """
    operation = context.run_successfully(Verb.RESTORE, backup, between)
    check_restored_content(context, operation)
    return operation


def check_restored_content(
    context: RuleContext, operation: Operation, content: bytes | None = None
) -> None:
    """Compare what a restore made with what it should be, then remove it.

    Args:
        context: the rule's.
        operation: the restore.
        content: what it should be; None for what the resource was written last.

    Raises:
        RuleViolation: it is something else.
    """
    if content is None:
        content = context.contents[operation.resource.id]
    restored = context.restored_resource(operation)
    seen = context.read_content(restored)
    require(
        seen == content,
        f"{restored.type} {restored.id} was restored with {_shorten(seen)}, protected was "
        f"{_shorten(content)}",
    )
    delete_restored(context, operation, restored)


def _shorten(content: bytes) -> str:
    if len(content) <= _SHOWN_BYTES:
        return repr(content)
    return f"{content[:_SHOWN_BYTES]!r} and {len(content) - _SHOWN_BYTES} bytes more"


def delete_restored(context: RuleContext, operation: Operation, restored: Resource) -> None:
    """Remove all that a restore made, but for the resource of old."""
    named = operation.outcome.resources if operation.outcome else ()
    for resource in {each.id: each for each in (restored, *named)}.values():
        if resource.id != operation.resource.id:
            context.harness.resources.delete(resource)


def run_lifecycle(context: RuleContext, kind: str, between: BeforeCall | None = None) -> None:
    """Protect a resource of a type, restore it and delete the backup; nothing may be left.

    Where the backend copies, a backup of another place is copied, too, and the copy restored.

    Where the backend does not delete, the backup stays.

    Raises:
        RuleViolation: one of them does not succeed, or something is left in the service.
    """
    resource = context.create_resource(kind)
    before = context.inventory()
    operation = context.run_successfully(Verb.PROTECT, resource, between)
    backup = context.store.backup(operation.id)
    restored = context.run_successfully(Verb.RESTORE, backup, between)
    check_restored_content(context, restored)
    if context.copies(kind):
        _run_copy(context, resource, between)
    if context.supports(kind, Verb.DELETE):
        context.run_successfully(Verb.DELETE, backup, between)
        require_unchanged(context, before, f"the life of a backup of {kind}")


def _run_copy(context: RuleContext, resource: Resource, between: BeforeCall | None) -> None:
    """Copy a backup of another place, restore the copy, and delete both."""
    first = context.source.protect(resource)
    copy = require_backup(context.run_successfully(Verb.COPY, first, between))
    check_restore(context, copy, between)
    for owner, backup in ((context, copy), (context.source, first)):
        if owner.supports(resource.type, Verb.DELETE):
            owner.run_successfully(Verb.DELETE, backup, between if owner is context else None)


def check_whole_or_gone(context: RuleContext, backup: Backup) -> None:
    """Restore a backup, which is to succeed with all of its content, or to fail.

    Raises:
        RuleViolation: something else comes back.
    """
    operation = context.run(Verb.RESTORE, backup)
    require_outcome(operation, Result.SUCCEEDED, Result.FAILED)
    if operation.outcome and operation.outcome.result is Result.SUCCEEDED:
        check_restored_content(context, operation)


RunMany = Callable[[Verb, Sequence[Resource | Backup]], list[Operation]]
"""Runs a verb on each of several targets, and returns the operations, which succeeded."""


def check_verbs_on_many(context: RuleContext, count: int, run: RunMany) -> None:
    """Run each verb on several resources of a type, and compare what restores bring back.

    Raises:
        RuleViolation: something else comes back, or what ``run`` raises.
    """
    kind = context.type_supporting(Verb.PROTECT)
    resources = [context.create_resource(kind) for _ in range(count)]
    targets: list[Resource | Backup] = [*resources]
    for verb in context.supported_verbs(kind):
        if verb is Verb.COPY:
            targets = [context.source.protect(resource) for resource in resources]
        ended = run(verb, targets)
        if ended[0].makes_backup:
            targets = [context.store.backup(operation.id) for operation in ended]
        if verb is Verb.RESTORE:
            for operation in ended:
                check_restored_content(context, operation)


@attrs.frozen
class StartedVerb:
    """An operation that was started under a fault of its work outside.

    Attributes:
        operation: the operation.
        target: what it works on.
        before: what the service held before.
    """

    operation: Operation
    target: Resource | Backup
    before: Inventory

    @property
    def verb(self) -> Verb:
        """The operation's verb."""
        return self.operation.verb


def verb_targets(
    context: RuleContext, kind: str | None = None
) -> list[tuple[Verb, Resource | Backup]]:
    """Return each verb of a type with something to work on, which no other verb uses up.

    Where no type is asked for, each maintenance follows.
    """
    maintained = [] if kind else [(Verb.MAINTAIN, each) for each in context.maintained()]
    kind = kind or context.type_supporting(Verb.PROTECT)
    resource = context.create_resource(kind)
    targets = [(verb, context.target_for(verb, resource)) for verb in context.supported_verbs(kind)]
    return [*targets, *maintained]


def start_each_verb(
    context: RuleContext,
    fault: Fault,
    deadline: timedelta | None = None,
    kind: str | None = None,
) -> Iterator[StartedVerb]:
    """Start each verb of a type whose work outside meets a fault, and yield its operation.

    A verb that begins no work outside meets none; it is seen to its end, and is left out.
    """
    for verb, target in verb_targets(context, kind):
        before = context.inventory()
        if not context.has_pending_fault():
            context.inject_fault(fault)
        operation = context.start_planned(context.plan(verb, target, deadline=deadline))
        operation = advance_until_fault(context, operation)
        if not context.has_pending_fault():
            yield StartedVerb(operation, target, before)
    use_up_fault(context)


def use_up_fault(context: RuleContext, resource: Resource | None = None) -> None:
    """Let a fault that no work outside has met yet meet a protect, which is then cancelled.

    Args:
        context: the rule's.
        resource: what is protected; None for one that is made for it.
    """
    if context.has_pending_fault():
        resource = resource or context.create_resource(context.type_supporting(Verb.PROTECT))
        started = advance_until_fault(context, context.start(Verb.PROTECT, resource))
        context.finish(context.cancel(started))


def advance_until_fault(context: RuleContext, operation: Operation) -> Operation:
    """Make an operation's calls until its work meets the fault, or it is over without one.

    A service that takes work up by and by meets it some polls after the work was begun.
    """
    for _ in range(context.calls_limit):
        if operation.finished or not context.has_pending_fault():
            break
        operation = context.advance(operation)
    return operation


def require_nothing_left(context: RuleContext, started: StartedVerb, what: str) -> None:
    """Let a rule go on if an operation that did not succeed has left nothing.

    Of a delete that is to say: a backup that is whole or gone, and can be deleted.

    Raises:
        RuleViolation: it has left something, or half a backup.
    """
    if started.verb is Verb.DELETE and isinstance(started.target, Backup):
        check_whole_or_gone(context, started.target)
        context.run_successfully(Verb.DELETE, started.target)
    else:
        require_unchanged(context, started.before, f"a {started.verb} {what}")


def require_unchanged(context: RuleContext, before: Inventory, since: str) -> None:
    """Let a rule go on if the service holds what it held before, and goes on to.

    Its lists are given time to settle.

    Raises:
        RuleViolation: it holds more or less.
    """
    context.settle_until(lambda: context.list_now() == before)
    after = context.inventory()
    more = sorted((after.bookkeeping - before.bookkeeping) | (after.data - before.data))
    less = sorted((before.bookkeeping - after.bookkeeping) | (before.data - after.data))
    require(not more, f"left in the service after {since}: {', '.join(more)}")
    require(not less, f"gone from the service after {since}: {', '.join(less)}")
