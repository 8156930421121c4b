"""Rules about what the verbs do to resources and backups."""

from typing import Final

from karbor_backup_contract._assertions import describe_operation, require, require_outcome
from karbor_backup_contract._context import RuleContext
from karbor_backup_contract._registry import rule
from karbor_backup_contract._scenarios import (
    check_restore,
    check_restored_content,
    delete_restored,
    require_unchanged,
)
from karbor_backup_contract.requirements import (
    COMPOUND_TYPES,
    DAMAGE,
    DELETE,
    INVENTORY,
    VERIFY,
)
from karbor_backup_core import Backup, InvalidInput, Result, Verb
from karbor_backup_core.documents import from_document, to_document

CONTENTS: Final = (
    b"a longer text\nof two lines\n" * 100,
    b"",
    b"\n",
    bytes(range(256)),
    b"one\rtwo\r\nthree\n\rfour",
    b"\0" * 100_000 + b"after a hole",
    bytes(range(256)) * 8192,
)
"""Contents that are restored one after the other, the last and longest of them twice."""

SHORT_CONTENT: Final = b"short"

SIMILAR_NAMES: Final = ("data", "data-2", "data 2", "Data")


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
    DELETE,
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
    DELETE,
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
    DELETE,
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
    DELETE,
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


@rule(
    "C-213",
    "Content of any kind and size comes back, byte for byte.",
    "Text was taken for lines, nothing for a fault, and a short file written over a long one.",
)
def any_content_comes_back(context: RuleContext) -> None:
    """Protect and restore one resource with one content after another."""
    resource = context.create_resource(context.type_supporting(Verb.PROTECT, Verb.RESTORE))
    for content in CONTENTS:
        context.write(resource, content)
        check_restore(context, context.protect(resource))
    first = context.protect(resource)
    context.write(resource, SHORT_CONTENT)
    operation = context.run_successfully(Verb.RESTORE, first)
    check_restored_content(context, operation, CONTENTS[-1])


@rule(
    "C-214",
    "A verify of a backup whose stored data is damaged does not succeed.",
    "It is asked to find out just that.",
    VERIFY,
    DAMAGE,
    mandatory=False,
)
def verify_of_damaged_backup_fails(context: RuleContext) -> None:
    """Spoil a backup of each type, then verify it and another one."""
    assert context.harness.damage is not None  # noqa: S101 - the rule needs it
    for kind in context.types_supporting(Verb.PROTECT, Verb.VERIFY):
        damaged, whole = (context.protect(context.create_resource(kind)) for _ in range(2))
        context.harness.damage(damaged)
        require_outcome(context.run(Verb.VERIFY, damaged), Result.FAILED)
        context.run_successfully(Verb.VERIFY, whole)


@rule(
    "C-215",
    "A verify changes nothing.",
    "It is run over all backups, by those who only want to look.",
    INVENTORY,
    VERIFY,
    mandatory=False,
)
def verify_is_read_only(context: RuleContext) -> None:
    """Verify a backup of each type, compare what there is, and restore it."""
    for kind in context.types_supporting(Verb.PROTECT, Verb.VERIFY):
        backup = context.protect(context.create_resource(kind))
        before = context.inventory()
        context.run_successfully(Verb.VERIFY, backup)
        require_unchanged(context, before, f"a verify of {kind}")
        if context.supports(kind, Verb.RESTORE):
            check_restore(context, backup)


@rule(
    "C-216",
    "A delete that is repeated removes no backup that was made since.",
    "A service gives ids and names again, and a delete whose answer was lost comes twice.",
    DELETE,
)
def repeated_delete_spares_later_backup(context: RuleContext) -> None:
    """Delete a backup, make another one of the same resource, and delete the first one again."""
    kind = context.type_supporting(Verb.PROTECT, Verb.DELETE, Verb.RESTORE)
    resource = context.create_resource(kind)
    first = context.protect(resource)
    context.run_successfully(Verb.DELETE, first)
    context.overwrite(resource)
    later = context.protect(resource)
    context.run_successfully(Verb.DELETE, first)
    check_restore(context, later)


@rule(
    "C-217",
    "Names that begin alike are told apart.",
    "What is found by a search for a name is more than what has that name.",
)
def similar_names_are_told_apart(context: RuleContext) -> None:
    """Protect and restore resources whose names begin alike, and delete the shortest's backup."""
    kind = context.type_supporting(Verb.PROTECT, Verb.RESTORE)
    resources = [context.create_resource(kind, name) for name in SIMILAR_NAMES]
    backups = [context.protect(resource) for resource in resources]
    if context.supports(kind, Verb.DELETE):
        context.run_successfully(Verb.DELETE, backups.pop(0))
    for backup in backups:
        check_restore(context, backup)
