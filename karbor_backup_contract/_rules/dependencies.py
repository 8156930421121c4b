"""Rules about backups that cannot be restored without others."""

import attrs

from karbor_backup_contract._assertions import require, require_backup, require_success
from karbor_backup_contract._context import RuleContext
from karbor_backup_contract._registry import rule
from karbor_backup_contract._scenarios import check_restored_content, require_unchanged
from karbor_backup_contract._violation import RuleViolation
from karbor_backup_contract.requirements import DELETE, DEPENDENT_BACKUPS, INVENTORY
from karbor_backup_core import Backup, HasDependents, Verb


@rule(
    "C-219",
    "A delete of a backup without which others cannot be restored is refused when it is planned, "
    "with their names; when they are gone it succeeds.",
    "A service that refuses it in the night, or a chain with a hole, helps nobody.",
    DEPENDENT_BACKUPS,
    INVENTORY,
    DELETE,
    mandatory=False,
    since="1.1",
)
def delete_of_needed_backup_is_refused(context: RuleContext) -> None:
    """Make a chain of three, try to delete those that are needed, then delete all, latest first."""
    kind = context.type_supporting(Verb.PROTECT, Verb.RESTORE, Verb.DELETE)
    resource = context.create_resource(kind)
    chain, contents = [context.protect(resource)], [context.contents[resource.id]]
    options = {**context.options_for(Verb.PROTECT, resource), **context.harness.dependent_options}
    for _ in range(2):
        context.overwrite(resource)
        planned = context.plan(Verb.PROTECT, resource, options)
        chain.append(require_backup(require_success(context.finish(planned))))
        contents.append(context.contents[resource.id])
    before = context.inventory()
    for place, backup in enumerate(chain[:-1]):
        _require_refusal(context, backup, [each.id for each in chain[:place:-1]])
    require_unchanged(context, before, "deletes that were refused")
    for backup, content in zip(chain, contents, strict=True):
        check_restored_content(context, context.run_successfully(Verb.RESTORE, backup), content)
    for backup in reversed(chain):
        context.run_successfully(Verb.DELETE, backup)


def _require_refusal(context: RuleContext, backup: Backup, dependents: list[str]) -> None:
    try:
        context.plan(Verb.DELETE, backup)
    except HasDependents as refused:
        named = list(refused.dependents)
        require(named == dependents, f"{dependents} need {backup.id}, and named are {named}")
    else:
        raise RuleViolation(f"a delete of {backup.id} was planned, which {dependents} need")


@rule(
    "C-220",
    "`dependents` names none for a backup that is alone, nor for one that is gone or cannot be "
    "read, and changes nothing.",
    "A backup that can never be deleted costs for ever.",
    INVENTORY,
    DELETE,
    since="1.1",
)
def independent_backups_have_no_dependents(context: RuleContext) -> None:
    """Ask about two backups of one resource, and about one that was deleted."""
    kind = context.type_supporting(Verb.PROTECT, Verb.DELETE)
    resource = context.create_resource(kind)
    first, second = context.protect(resource), context.protect(resource)
    before = context.inventory()
    for backup in (first, second, attrs.evolve(first, handle={"contract": ["strange"]})):
        _require_none(context, backup)
    require_unchanged(context, before, "looks for dependents")
    context.run_successfully(Verb.DELETE, first)
    _require_none(context, first)


def _require_none(context: RuleContext, backup: Backup) -> None:
    named = context.process.backend.dependents(backup)
    require(not named, f"{', '.join(named)} is said to need backup {backup.id}, and does not")
