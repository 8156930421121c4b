"""Rules about what a verify says of a backup."""

from karbor_backup_contract._assertions import require, require_outcome
from karbor_backup_contract._context import RuleContext
from karbor_backup_contract._registry import rule
from karbor_backup_contract._scenarios import (
    check_restore,
    require_unchanged,
)
from karbor_backup_contract.requirements import (
    DAMAGE,
    DELETE,
    INVENTORY,
    VERIFY,
)
from karbor_backup_core import Result, Verb


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
    "C-214",
    "A verify of a backup whose stored data is damaged does not succeed.",
    "It is asked to find out just that.",
    VERIFY,
    DAMAGE,
    mandatory=False,
)
def verify_of_damaged_backup_fails(context: RuleContext) -> None:
    """Spoil the older one of two backups of a resource of each type, then verify all there are."""
    assert context.harness.damage is not None  # noqa: S101 - the rule needs it
    for kind in context.types_supporting(Verb.PROTECT, Verb.VERIFY):
        resource = context.create_resource(kind)
        damaged = context.protect(resource)
        context.overwrite(resource)
        whole = [context.protect(resource), context.protect(context.create_resource(kind))]
        context.harness.damage(damaged)
        require_outcome(context.run(Verb.VERIFY, damaged), Result.FAILED)
        for backup in whole:
            context.run_successfully(Verb.VERIFY, backup)


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
