"""The whole life of a backup, disturbed as a rule asks for."""

from karbor_backup_contract._assertions import require
from karbor_backup_contract._context import BeforeCall, RuleContext
from karbor_backup_contract.harness import Inventory
from karbor_backup_core import Backup, Operation, Resource, Verb


def check_restore(
    context: RuleContext, backup: Backup, between: BeforeCall | None = None
) -> Operation:
    """Restore a backup into something that is then removed; its content must be the backup's.

    The content is that which the resource was written last, since nothing else is asked for here.

    Raises:
        RuleViolation: it is not, or the restore does not succeed.
    """
    operation = context.run_successfully(Verb.RESTORE, backup, between)
    check_restored_content(context, operation, context.contents[backup.resource.id])
    return operation


def check_restored_content(context: RuleContext, operation: Operation, content: bytes) -> None:
    """Compare what a restore made with what it should be, then remove it.

    Raises:
        RuleViolation: it is something else.
    """
    restored = context.restored_resource(operation)
    seen = context.read_content(restored)
    require(
        seen == content,
        f"{restored.type} {restored.id} was restored with {seen!r}, protected was {content!r}",
    )
    delete_restored(context, operation, restored)


def delete_restored(context: RuleContext, operation: Operation, restored: Resource) -> None:
    """Remove all that a restore made, but for the resource of old."""
    named = operation.outcome.resources if operation.outcome else ()
    for resource in {each.id: each for each in (restored, *named)}.values():
        if resource.id != operation.resource.id:
            context.harness.resources.delete(resource)


def run_lifecycle(context: RuleContext, kind: str, between: BeforeCall | None = None) -> None:
    """Protect a resource of a type, restore it and delete the backup; nothing may be left.

    Raises:
        RuleViolation: one of them does not succeed, or something is left in the service.
    """
    resource = context.create_resource(kind)
    before = context.inventory()
    operation = context.run_successfully(Verb.PROTECT, resource, between)
    backup = context.store.backup(operation.id)
    restored = context.run_successfully(Verb.RESTORE, backup, between)
    check_restored_content(context, restored, context.contents[resource.id])
    context.run_successfully(Verb.DELETE, backup, between)
    require_unchanged(context, before, f"the life of a backup of {kind}")


def require_unchanged(context: RuleContext, before: Inventory, since: str) -> None:
    """Let a rule go on if the service holds what it held before.

    Raises:
        RuleViolation: it holds more or less.
    """
    after = context.inventory()
    more = sorted((after.bookkeeping - before.bookkeeping) | (after.data - before.data))
    less = sorted((before.bookkeeping - after.bookkeeping) | (before.data - after.data))
    require(not more, f"left in the service after {since}: {', '.join(more)}")
    require(not less, f"gone from the service after {since}: {', '.join(less)}")
