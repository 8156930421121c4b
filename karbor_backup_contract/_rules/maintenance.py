"""Rules about maintenance of what all backups share."""

import uuid

import attrs

from karbor_backup_contract._assertions import require, require_outcome
from karbor_backup_contract._context import BeforeCall, RuleContext
from karbor_backup_contract._registry import rule
from karbor_backup_contract._sample_options import invalid_options
from karbor_backup_contract._scenarios import (
    check_restored_content,
    require_unchanged,
    use_up_fault,
)
from karbor_backup_contract._violation import RuleViolation
from karbor_backup_contract.harness import Fault
from karbor_backup_contract.requirements import INVENTORY, MAINTENANCE, requires_fault
from karbor_backup_core import Backup, InvalidDocument, Resource, Result, Unsupported, Verb

_UNDECLARED_ACTION = "contract-undeclared"


@rule(
    "C-231",
    "Every maintenance that is declared succeeds, leaves nothing, and every backup can be restored "
    "after it as before.",
    "It works on all backups at once, so a fault in it costs all of them.",
    MAINTENANCE,
    INVENTORY,
    mandatory=False,
    since="1.1",
)
def maintenance_keeps_all_backups(context: RuleContext) -> None:
    """Maintain a service with backups and with a gap between them, and restore all of them."""
    _maintain_and_restore(context)


@rule(
    "C-232",
    "A maintenance is gone on with by another process between any two calls.",
    "It takes hours, and processes are restarted.",
    MAINTENANCE,
    INVENTORY,
    mandatory=False,
    since="1.1",
)
def maintenance_survives_restarts(context: RuleContext) -> None:
    """Start another process before each call of each maintenance."""
    _maintain_and_restore(context, context.restart)


@rule(
    "C-233",
    "A maintenance that is called a second time under the same phase begins nothing anew.",
    "Whoever takes over from a dead process cannot know whether its call was heard.",
    MAINTENANCE,
    INVENTORY,
    mandatory=False,
    since="1.1",
)
def repeated_maintenance_starts_nothing(context: RuleContext) -> None:
    """Throw the first answer of each maintenance away, and ask again in another process."""
    for target in context.maintained():
        before = context.inventory()
        operation = context.record_submission(Verb.MAINTAIN, target)
        context.process.backend.call_verb(operation)
        begun = context.inventory()
        repeated = context.process.driver.step(context.restart(operation))
        again = context.inventory()
        more = sorted(again.bookkeeping - begun.bookkeeping)
        require(not more, f"begun twice: {', '.join(more)}")
        require_outcome(context.finish(repeated), Result.SUCCEEDED)
        require_unchanged(context, before, f"a repeated {target.type}")


@rule(
    "C-234",
    "A maintenance that is cancelled comes to its end, and every backup can be restored.",
    "It is cancelled because it is in the way of backups.",
    MAINTENANCE,
    INVENTORY,
    requires_fault(Fault.STALL),
    mandatory=False,
    since="1.1",
)
def cancelled_maintenance_keeps_all_backups(context: RuleContext) -> None:
    """Cancel each maintenance while its work goes on."""
    kept = _make_backups(context)
    for target in context.maintained():
        before = context.inventory()
        if not context.has_pending_fault():
            context.inject_fault(Fault.STALL)
        operation = context.cancel(context.start(Verb.MAINTAIN, target))
        require_outcome(context.finish(operation), *Result)
        require_unchanged(context, before, f"a cancelled {target.type}")
    use_up_fault(context)
    _restore_all(context, kept)


@rule(
    "C-235",
    "A maintenance that is not declared is refused with `Unsupported`, and options that do not fit "
    "with `InvalidDocument`.",
    "A misspelled action must not do something else to all backups.",
    MAINTENANCE,
    INVENTORY,
    mandatory=False,
    since="1.1",
)
def undeclared_maintenance_is_refused(context: RuleContext) -> None:
    """Call the hook with an action that there is not, and offer unfit options to each action."""
    backend, targets = context.process.backend, context.maintained()
    for target in targets:
        schema = backend.ability(target.type, Verb.MAINTAIN).schema
        given = context.options_for(Verb.MAINTAIN, target)
        for what, options in invalid_options(schema, given):
            try:
                backend.check_options(target.type, Verb.MAINTAIN, options)
            except InvalidDocument:
                continue
            raise RuleViolation(f"{target.type} takes {what}: {options}")
    before = context.inventory()
    planned = context.record_submission(Verb.MAINTAIN, targets[0])
    stranger = Resource(_UNDECLARED_ACTION, targets[0].id)
    operation = attrs.evolve(planned, id=str(uuid.uuid4()), resource=stranger)
    try:
        answer = context.process.call_hook("maintain", operation=operation)
    except Unsupported:
        require_unchanged(context, before, "a maintenance that was refused")
        return
    raise RuleViolation(f"{_UNDECLARED_ACTION} is not declared, and answered {answer}")


def _maintain_and_restore(context: RuleContext, between: BeforeCall | None = None) -> None:
    kept = _make_backups(context)
    for target in context.maintained():
        before = context.inventory()
        context.run_successfully(Verb.MAINTAIN, target, between)
        require_unchanged(context, before, f"a {target.type}")
    _restore_all(context, kept)


def _make_backups(context: RuleContext) -> list[tuple[Backup, bytes]]:
    """Make backups, of which one in the middle is deleted where that can be done."""
    kind = context.type_supporting(Verb.PROTECT, Verb.RESTORE)
    resource = context.create_resource(kind)
    made = []
    for _ in range(3):
        context.overwrite(resource)
        made.append((context.protect(resource), context.contents[resource.id]))
    if context.supports(kind, Verb.DELETE):
        context.run_successfully(Verb.DELETE, made.pop(1)[0])
    return made


def _restore_all(context: RuleContext, kept: list[tuple[Backup, bytes]]) -> None:
    for backup, content in kept:
        check_restored_content(context, context.run_successfully(Verb.RESTORE, backup), content)
