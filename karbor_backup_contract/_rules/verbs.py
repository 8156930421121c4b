"""Rules about what a protect keeps and a restore brings back."""

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
    INVENTORY,
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


@rule(
    "C-201",
    "Every verb that is declared for a type succeeds.",
    "What is declared must work; users choose by it.",
)
def declared_verbs_succeed(context: RuleContext) -> None:
    """Protect, then copy, verify, restore and delete, as far as declared."""
    for kind in context.types_supporting(Verb.PROTECT):
        backup = context.protect(context.create_resource(kind))
        for verb in context.supported_verbs(kind)[1:]:
            context.run_successfully(verb, context.target_of(verb, backup))


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
