"""Rules about what a delete removes, and what it must leave."""

from typing import Final

from karbor_backup_contract._assertions import require_outcome
from karbor_backup_contract._context import RuleContext
from karbor_backup_contract._registry import rule
from karbor_backup_contract._scenarios import (
    check_restore,
    check_restored_content,
    require_unchanged,
)
from karbor_backup_contract.requirements import (
    DELETE,
    INVENTORY,
    REUSED_IDS,
)
from karbor_backup_core import Backup, Result, Verb

SIMILAR_NAMES: Final = ("data", "data-2", "data 2", "Data", "d\u00e4ta", "da\u0308ta")
"""The last two are the same for whoever reads them: the two forms of Unicode."""


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


@rule(
    "C-218",
    "Where the service gives ids again, no verb takes what has an id now for what had it before.",
    "The handle of a backup that is gone names another one's data then.",
    INVENTORY,
    DELETE,
    REUSED_IDS,
    mandatory=False,
)
def reused_ids_are_told_apart(context: RuleContext) -> None:
    """Delete a backup, make others of the same and of another resource, and use the first one."""
    kind = context.type_supporting(Verb.PROTECT, Verb.DELETE, Verb.RESTORE)
    if context.harness.reuse_ids is not None:
        context.harness.reuse_ids()
    resource, neighbour = context.create_resource(kind), context.create_resource(kind)
    for later_resource in (resource, neighbour):
        gone = context.protect(resource)
        context.run_successfully(Verb.DELETE, gone)
        context.overwrite(later_resource)
        later = context.protect(later_resource)
        before = context.inventory()
        for verb in context.supported_verbs(kind):
            if verb in (Verb.PROTECT, Verb.COPY):
                continue  # They take what is in use, or lies elsewhere.
            operation = context.run(verb, gone)
            what = f"a {verb} of a backup that is gone, whose id another one has"
            ends = (Result.SUCCEEDED,) if verb is Verb.DELETE else ()
            require_outcome(operation, Result.FAILED, *ends)
            require_unchanged(context, before, what)
        check_restore(context, later)
