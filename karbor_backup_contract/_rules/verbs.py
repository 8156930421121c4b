"""Rules about what the verbs do to resources and backups."""

from karbor_backup_contract._assertions import describe_operation, require, require_outcome
from karbor_backup_contract._context import RuleContext
from karbor_backup_contract._registry import rule
from karbor_backup_contract._scenarios import (
    check_restore,
    check_restored_content,
    delete_restored,
    require_unchanged,
)
from karbor_backup_contract.requirements import COMPOUND_TYPES, INVENTORY, VERIFY
from karbor_backup_core import Backup, InvalidInput, Result, Verb
from karbor_backup_core.documents import from_document, to_document


@rule(
    "C-201",
    "Every verb that is declared for a type succeeds.",
    "What is declared must work; users choose by it.",
)
def declared_verbs_succeed(context: RuleContext) -> None:
    """Protect, then verify, restore and delete, as far as declared."""
    for kind in context.types_supporting(Verb.PROTECT):
        backup = context.protect(context.create_resource(kind))
        for verb in (Verb.VERIFY, Verb.RESTORE, Verb.DELETE):
            if context.supports(kind, verb):
                context.run_successfully(verb, backup)


@rule(
    "C-202",
    "The data that comes back is the data that was protected, whatever became of it since.",
    "It is what a backup is for.",
)
def restored_content_is_the_protected_one(context: RuleContext) -> None:
    """Protect, write something else, restore, compare."""
    for kind in context.types_supporting(Verb.PROTECT, Verb.RESTORE):
        resource = context.create_resource(kind)
        backup, content = context.protect(resource), context.contents[resource.id]
        context.overwrite(resource)
        check_restored_content(context, context.run_successfully(Verb.RESTORE, backup), content)


@rule(
    "C-203",
    "A backup can be restored when its resource is gone.",
    "A backup is needed most when there is nothing else.",
)
def lost_resource_is_restorable(context: RuleContext) -> None:
    """Protect, lose the resource, restore."""
    for kind in context.types_supporting(Verb.PROTECT, Verb.RESTORE):
        resource = context.create_resource(kind)
        backup = context.protect(resource)
        context.harness.resources.delete(resource)
        check_restore(context, backup)


@rule(
    "C-204",
    "A delete removes its backup and no other: neither the older nor the newer one of the same "
    "resource, nor a neighbour's.",
    "Storage shared between backups has been removed with the first of them before.",
)
def delete_removes_one_backup(context: RuleContext) -> None:
    """Delete the one in the middle of three, and restore all others."""
    kind = context.type_supporting(Verb.PROTECT, Verb.DELETE, Verb.RESTORE)
    resource, neighbour = context.create_resource(kind), context.create_resource(kind)
    kept: list[tuple[Backup, bytes]] = [
        (context.protect(neighbour), context.contents[neighbour.id])
    ]
    kept.append((context.protect(resource), context.contents[resource.id]))
    context.overwrite(resource)
    middle = context.protect(resource)
    context.overwrite(resource)
    kept.append((context.protect(resource), context.contents[resource.id]))
    context.run_successfully(Verb.DELETE, middle)
    for backup, content in kept:
        check_restored_content(context, context.run_successfully(Verb.RESTORE, backup), content)


@rule(
    "C-205",
    "A delete of a backup that is gone already succeeds.",
    "A delete is repeated by those who do not know whether it was done.",
)
def delete_is_idempotent(context: RuleContext) -> None:
    """Delete a backup twice."""
    backup = context.protect(
        context.create_resource(context.type_supporting(Verb.PROTECT, Verb.DELETE))
    )
    for _ in range(2):
        context.run_successfully(Verb.DELETE, backup)


@rule(
    "C-206",
    "A restore of a backup that is gone fails, says why, and leaves nothing.",
    "An empty resource that looks restored is worse than none.",
    INVENTORY,
)
def restore_of_deleted_backup_fails(context: RuleContext) -> None:
    """Delete a backup, then restore it."""
    backup = context.protect(
        context.create_resource(context.type_supporting(Verb.PROTECT, Verb.DELETE, Verb.RESTORE))
    )
    context.run_successfully(Verb.DELETE, backup)
    before = context.inventory()
    operation = context.run(Verb.RESTORE, backup)
    require_outcome(operation, Result.FAILED)
    require_unchanged(context, before, "a restore of what is gone")


@rule(
    "C-207",
    "A verify of a whole backup succeeds, and its checks say what was seen and what was not.",
    "A verify that says nothing cannot be told from one that looked at nothing.",
    VERIFY,
    mandatory=False,
)
def verify_returns_checks(context: RuleContext) -> None:
    """Verify a backup that was just made."""
    kind = context.type_supporting(Verb.PROTECT, Verb.VERIFY)
    operation = context.run_successfully(
        Verb.VERIFY, context.protect(context.create_resource(kind))
    )
    checks = operation.outcome.checks if operation.outcome else ()
    require(checks, "the verify has no checks")
    for check in checks:
        require(check.verified or check.reason, f"{check.name} is unverified without a reason")


@rule(
    "C-208",
    "A verify of a backup that is gone does not succeed.",
    "It is asked to find out just that.",
    VERIFY,
    mandatory=False,
)
def verify_of_deleted_backup_fails(context: RuleContext) -> None:
    """Delete a backup, then verify it."""
    backup = context.protect(
        context.create_resource(context.type_supporting(Verb.PROTECT, Verb.DELETE, Verb.VERIFY))
    )
    context.run_successfully(Verb.DELETE, backup)
    require_outcome(context.run(Verb.VERIFY, backup), Result.FAILED)


@rule(
    "C-209",
    "A backup's JSON alone is enough to restore it in another process.",
    "After a disaster there is no store, only what was written down elsewhere.",
)
def backup_document_is_sufficient(context: RuleContext) -> None:
    """Restore in another process what came through JSON."""
    backup = context.protect(
        context.create_resource(context.type_supporting(Verb.PROTECT, Verb.RESTORE))
    )
    document = to_document(backup)
    elsewhere = RuleContext(context.harness)
    elsewhere.contents = context.contents
    check_restore(elsewhere, from_document(Backup, document))


@rule(
    "C-210",
    "A member of a backup can be restored alone.",
    "One lost volume must not take a whole project back in time.",
    COMPOUND_TYPES,
    mandatory=False,
)
def members_are_restorable(context: RuleContext) -> None:
    """Restore every member of a backup of each compound type."""
    for kind in context.harness.compound_types:
        backup = context.protect(context.create_resource(kind))
        require(backup.members, f"the backup of a {kind} has no members")
        for member in backup.members:
            content = context.read_content(member.resource)
            operation = context.run_successfully(Verb.RESTORE, member)
            check_restored_content(context, operation, content)


@rule(
    "C-211",
    "A protect of a resource that is not there fails, says why, and leaves nothing.",
    "Resources go while protects of them are planned.",
    INVENTORY,
)
def protect_of_missing_resource_fails(context: RuleContext) -> None:
    """Lose a resource, then protect it. To refuse it as wrong input is right as well."""
    resource = context.create_resource(context.type_supporting(Verb.PROTECT))
    context.harness.resources.delete(resource)
    before = context.inventory()
    try:
        operation = context.run(Verb.PROTECT, resource)
    except InvalidInput:
        return
    require_outcome(operation, Result.FAILED)
    require(
        operation.outcome and operation.outcome.reason,
        f"{describe_operation(operation)} without a reason",
    )
    require_unchanged(context, before, "a protect of what is gone")


@rule(
    "C-212",
    "A restore says which resource holds the data now, of the type that was protected, and what "
    "each member has become.",
    "Whoever restored something has to find it.",
)
def restored_resource_is_named(context: RuleContext) -> None:
    """Restore, and look at the resource."""
    for kind in context.types_supporting(Verb.PROTECT, Verb.RESTORE):
        operation = context.run_successfully(
            Verb.RESTORE, context.protect(context.create_resource(kind))
        )
        restored = context.restored_resource(operation)
        require(restored.type == kind, f"a {kind} was restored as a {restored.type}")
        require(restored.id, f"a {kind} was restored without an id")
        for part in operation.outcome.parts if operation.outcome else ():
            require(part.restored, f"{part.resource.type} {part.resource.id} became nothing")
        delete_restored(context, operation, restored)
