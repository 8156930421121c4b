"""Rules about what operations use together, and what one of them has to itself."""

from collections.abc import Sequence

import attrs

from karbor_backup_contract._assertions import describe_operation, require, require_success
from karbor_backup_contract._context import RuleContext
from karbor_backup_contract._registry import rule
from karbor_backup_contract._scenarios import check_restore, require_unchanged
from karbor_backup_contract.requirements import EXCLUSIVE_MAINTENANCE, INVENTORY, MAINTENANCE
from karbor_backup_core import Call, Operation, Resource, SharedResource, Verb, next_call


@rule(
    "C-236",
    "`shared_resources` gives every object the same answer for the same operation, and changes "
    "nothing.",
    "Processes that call one repository by two names use it at once.",
    MAINTENANCE,
    INVENTORY,
    mandatory=False,
    since="1.1",
)
def shared_resources_are_stable(context: RuleContext) -> None:
    """Ask two objects about each maintenance and about operations on a backup."""
    kind = context.type_supporting(Verb.PROTECT)
    backup = context.protect(context.create_resource(kind))
    planned = [context.plan(verb, target) for verb, target in context.targets_of(backup)]
    before = context.inventory()
    for operation in planned:
        asked = attrs.evolve(operation, shared_resources=())
        for process in (context.process, context.start_process()):
            answer = process.backend.shared_resources(asked)
            require(
                set(answer) == set(operation.shared_resources),
                f"{operation.verb} uses {_name_all(answer)}, and before it used "
                f"{_name_all(operation.shared_resources)}",
            )
    require_unchanged(context, before, "questions for shared resources")


@rule(
    "C-237",
    "What a maintenance has to itself, every other operation on the same backups uses, under the "
    "same name.",
    "A lock that the others do not ask for keeps nobody out.",
    EXCLUSIVE_MAINTENANCE,
    mandatory=False,
    since="1.1",
)
def exclusive_resources_are_used_by_all(context: RuleContext) -> None:
    """Compare what each exclusive maintenance and every other operation on a backup uses."""
    kind = context.type_supporting(Verb.PROTECT)
    backup = context.protect(context.create_resource(kind))
    alone = [_exclusive_names(context.plan(Verb.MAINTAIN, each)) for each in _exclusive(context)]
    for verb, target in context.targets_of(backup):
        operation = context.plan(verb, target)
        used = {each.name for each in operation.shared_resources}
        for names in alone:
            missing = sorted(names - used)
            require(not missing, f"{verb} of {operation.resource.type} lacks {', '.join(missing)}")


@rule(
    "C-238",
    "A maintenance that has something to itself waits for operations that use it, and they for "
    "it; later ones do not overtake it.",
    "A prune removes what a protect is about to refer to, and waits for ever where protects "
    "overtake it.",
    EXCLUSIVE_MAINTENANCE,
    mandatory=False,
    since="1.1",
)
def exclusive_maintenance_keeps_others_out(context: RuleContext) -> None:
    """Begin a protect, a maintenance and another protect, each while the one before goes on."""
    kind = context.type_supporting(Verb.PROTECT, Verb.RESTORE)
    for target in _exclusive(context):
        first = context.record_submission(Verb.PROTECT, context.create_resource(kind))
        context.wait()  # so that the next one is submitted later
        maintenance = _require_waiting(context, context.plan(Verb.MAINTAIN, target), first)
        context.wait()
        resource = context.create_resource(kind)
        second = _require_waiting(context, context.plan(Verb.PROTECT, resource), maintenance)
        require_success(context.finish(first))
        maintenance = _attempt(context, maintenance)
        require(maintenance.phase, f"{describe_operation(maintenance)}, and nothing is in its way")
        second = _require_waiting(context, second, maintenance)
        require_success(context.finish(maintenance))
        require_success(context.finish(second))
        check_restore(context, context.store.backup(second.id))


def _exclusive(context: RuleContext) -> list[Resource]:
    actions = context.harness.exclusive_maintenance
    return [target for target in context.maintained() if target.type in actions]


def _exclusive_names(maintenance: Operation) -> set[str]:
    names = {each.name for each in maintenance.shared_resources if each.exclusive}
    require(names, f"{maintenance.action} has nothing to itself")
    return names


def _name_all(resources: Sequence[SharedResource]) -> str:
    named = (f"{each.name}{' alone' if each.exclusive else ''}" for each in resources)
    return ", ".join(sorted(named)) or "nothing"


def _require_waiting(context: RuleContext, operation: Operation, other: Operation) -> Operation:
    """Try to begin an operation, which is to wait for another one."""
    waiting = _attempt(context, operation)
    right = not waiting.phase and other.id in waiting.retry.last_error
    require(right, f"{describe_operation(waiting)}, and should wait for {other.verb} {other.id}")
    return waiting


def _attempt(context: RuleContext, operation: Operation) -> Operation:
    """Try to begin an operation, once its wait is over."""
    while next_call(operation, context.clock()) is Call.WAIT:
        operation = context.advance(operation)
    return context.advance(operation)
