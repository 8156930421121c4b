"""Rules about a second backup in another place, made of a first one."""

import uuid
from collections.abc import Callable
from typing import Final

import attrs

from karbor_backup_contract._assertions import require, require_backup, require_outcome
from karbor_backup_contract._context import RuleContext
from karbor_backup_contract._registry import RuleTest, rule
from karbor_backup_contract._scenarios import (
    check_restore,
    check_restored_content,
    require_unchanged,
    use_up_fault,
)
from karbor_backup_contract._violation import RuleViolation
from karbor_backup_contract.harness import Fault
from karbor_backup_contract.requirements import (
    COPY,
    COPY_SOURCE,
    DAMAGE,
    DELETE,
    DEPENDENT_BACKUPS,
    INVENTORY,
    LOSE_COPY_SOURCE,
    Requirement,
)
from karbor_backup_core import Backup, InvalidInput, Result, Verb

_ENDINGS: Final = (Fault.FAIL, Fault.STALL)


def _copy_rule(
    identifier: str, statement: str, reason: str, *needs: Requirement
) -> Callable[[RuleTest], RuleTest]:
    """Enter a rule that needs a backend which copies, and something to copy."""
    needs = (COPY, COPY_SOURCE, *needs)
    return rule(identifier, statement, reason, *needs, mandatory=False, since="1.1")


@_copy_rule(
    "C-241",
    "A copy is verified, restored and deleted from its own place alone, when all is lost where the "
    "first backup lay.",
    "That is what it is made for.",
    LOSE_COPY_SOURCE,
    INVENTORY,
)
def copy_outlives_first_place(context: RuleContext) -> None:
    """Copy a backup of each type, lose the first place and what is in the resources, restore."""
    resources = [context.create_resource(kind) for kind in _copied_types(context)]
    before = context.inventory()
    copies = [_copy(context, context.source.protect(resource)) for resource in resources]
    contents = [context.contents[resource.id] for resource in resources]
    for resource in resources:
        context.overwrite(resource)
    context.lose_source()
    for copy, content in zip(copies, contents, strict=True):
        check_restored_content(context, context.run_successfully(Verb.RESTORE, copy), content)
        for verb in (Verb.VERIFY, Verb.DELETE):
            if context.supports(copy.resource.type, verb):
                context.run_successfully(verb, copy)
    if context.deletes:
        require_unchanged(context, before, "the life of copies")


@_copy_rule(
    "C-242",
    "A copy has the members of the first backup, each of which can be restored alone.",
    "One server of a lost project is wanted at once.",
)
def copy_has_the_same_members(context: RuleContext) -> None:
    """Compare the members of a copy with those of the first backup, and restore them."""
    for kind in _copied_types(context):
        resource = context.create_resource(kind)
        first = context.source.protect(resource)
        copy = _copy(context, first)
        expected = [each.resource for each in first.members]
        members = [each.resource for each in copy.members]
        require(members == expected, f"the copy has {members}, the first backup has {expected}")
        require(copy.scope != first.scope, f"the copy is of {copy.scope}, as the first backup")
        for member in copy.members:
            if context.supports(member.resource.type, Verb.RESTORE):
                restored = context.run_successfully(Verb.RESTORE, member)
                for each in restored.outcome.resources if restored.outcome else ():
                    context.harness.resources.delete(each)


@_copy_rule(
    "C-243",
    "Copies of one backup are two, of which one can be deleted without the other, and the first "
    "backup stays as it was.",
    "Data that copies share in a repository has been removed with the first of them before.",
    INVENTORY,
)
def copies_are_independent(context: RuleContext) -> None:
    """Copy a backup twice, delete the first copy, and restore what is left."""
    kind = context.type_supporting(Verb.PROTECT, Verb.COPY, Verb.RESTORE)
    first = context.source.protect(context.create_resource(kind))
    before = context.inventory()
    copies = [_copy(context, first) for _ in range(2)]
    if context.supports(kind, Verb.DELETE):
        context.run_successfully(Verb.DELETE, copies[0])
    check_restore(context, copies[1])
    if context.supports(kind, Verb.DELETE):
        context.run_successfully(Verb.DELETE, copies[1])
        require_unchanged(context, before, "two copies that were deleted")
    check_restore(context.source, first)


@_copy_rule(
    "C-244",
    "A backup of the backend's own scope, or of one that it does not know, is refused, and nothing "
    "is begun.",
    "A handle read at another place than its own names somebody else's data.",
    INVENTORY,
)
def copy_of_unknown_scope_is_refused(context: RuleContext) -> None:
    """Copy a backup of the place itself, and one that says that it is of a strange scope."""
    kind = context.type_supporting(Verb.PROTECT, Verb.COPY)
    resource = context.create_resource(kind)
    own, first = context.protect(resource), context.source.protect(resource)
    strange = attrs.evolve(first, scope=f"contract:{uuid.uuid4()}")
    mixed = attrs.evolve(first, scope=own.scope)
    swapped = attrs.evolve(own, scope=first.scope)
    before = context.inventory()
    # Whether that is told at once, or when it is looked for there, is the service's affair.
    # It comes first: what is refused below is never released, and keeps its backup from others.
    _require_failure(context, swapped, "a handle that is of no backup there")
    for what, backup in (("own", own), ("strange", strange), ("own, and not its", mixed)):
        _require_refusal(context, backup, f"its {what} scope")
    require_unchanged(context, before, "copies that were refused")


@_copy_rule(
    "C-245",
    "A copy of a backup that is gone fails and leaves nothing.",
    "An empty backup that looks like a copy is worse than none.",
    DELETE,
    INVENTORY,
)
def copy_of_deleted_backup_fails(context: RuleContext) -> None:
    """Delete a backup in its place, and copy it."""
    kind = context.type_supporting(Verb.PROTECT, Verb.COPY, Verb.DELETE)
    first = context.source.protect(context.create_resource(kind))
    context.source.run_successfully(Verb.DELETE, first)
    before = context.inventory()
    _require_failure(context, first, "a backup that is gone")
    require_unchanged(context, before, "a copy of what is gone")


@_copy_rule(
    "C-246",
    "A copy of a backup whose data is damaged does not succeed.",
    "The damage is found when the first place is lost, and nothing else is left.",
    INVENTORY,
    DAMAGE,
)
def copy_of_damaged_backup_fails(context: RuleContext) -> None:
    """Spoil a backup's data, and copy it."""
    kind = context.type_supporting(Verb.PROTECT, Verb.COPY)
    first = context.source.protect(context.create_resource(kind))
    if context.harness.damage is not None:
        context.harness.damage(first)
    before = context.inventory()
    _require_failure(context, first, "a backup that is damaged")
    require_unchanged(context, before, "a copy of what is damaged")


@_copy_rule(
    "C-247",
    "A copy that fails or is cancelled leaves nothing, and the first backup as it was.",
    "It will be tried again.",
    INVENTORY,
)
def unfinished_copy_keeps_first_backup(context: RuleContext) -> None:
    """Make a copy fail, cancel one, and then restore the first backup and copy it."""
    kind = context.type_supporting(Verb.PROTECT, Verb.COPY, Verb.RESTORE)
    first = context.source.protect(context.create_resource(kind))
    before = context.inventory()
    for fault in _ENDINGS:
        if fault in context.harness.faults:
            context.inject_fault(fault)
        operation = context.start(Verb.COPY, first)
        if fault is not Fault.FAIL:
            operation = context.cancel(operation)
        operation = context.finish(operation)
        require_outcome(operation, *Result)
        if operation.succeeded:  # The harness has no such fault, or it came too late.
            context.run_successfully(Verb.DELETE, require_backup(operation))
        use_up_fault(context, first.resource)
        require_unchanged(context, before, f"a copy that was to end by {fault.name}")
    check_restore(context.source, first)
    check_restore(context, _copy(context, first))


@_copy_rule(
    "C-248",
    "A copy of a backup that depends on others can be restored alone.",
    "Only the latest of a chain is copied, and then the chain is lost.",
    LOSE_COPY_SOURCE,
    DEPENDENT_BACKUPS,
)
def copy_of_dependent_backup_is_whole(context: RuleContext) -> None:
    """Make a chain, copy its end, lose the rest, and restore."""
    kind = context.type_supporting(Verb.PROTECT, Verb.COPY, Verb.RESTORE)
    resource = context.create_resource(kind)
    context.source.protect(resource)
    context.overwrite(resource)
    options = context.source.options_for(Verb.PROTECT, resource)
    planned = context.source.plan(
        Verb.PROTECT, resource, {**options, **context.harness.dependent_options}
    )
    copy = _copy(context, require_backup(context.source.finish(planned)))
    context.lose_source()
    check_restore(context, copy)


def _copied_types(context: RuleContext) -> list[str]:
    return context.types_supporting(Verb.PROTECT, Verb.COPY, Verb.RESTORE)


def _copy(context: RuleContext, backup: Backup) -> Backup:
    """Copy a backup, and return the copy."""
    return require_backup(context.run_successfully(Verb.COPY, backup))


def _require_refusal(context: RuleContext, backup: Backup, what: str) -> None:
    operation = context.record_submission(Verb.COPY, backup)
    try:
        answer = context.process.call_hook("copy", operation=operation)
    except InvalidInput:
        return
    raise RuleViolation(f"a copy of a backup under {what} answered {answer}")


def _require_failure(context: RuleContext, backup: Backup, what: str) -> None:
    operation = context.run(Verb.COPY, backup)
    require_outcome(operation, Result.FAILED)
    require(operation.outcome and operation.outcome.reason, f"a copy of {what} failed unsaid")
