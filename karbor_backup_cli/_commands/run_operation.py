"""What protect, restore, delete and verify have in common: they run an operation to its end."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final, Literal

from karbor_backup_cli._context import CliContext
from karbor_backup_cli._default_names import add_default_names
from karbor_backup_cli._execution import execute
from karbor_backup_cli._options import read_options
from karbor_backup_cli._reports import report_result
from karbor_backup_core import (
    Backend,
    Backup,
    Operation,
    Resource,
    Verb,
    plan_delete,
    plan_protect,
    plan_restore,
    plan_verify,
    system_clock,
)

_PLANNERS: Final[Mapping[Verb, Callable[..., Operation]]] = {
    Verb.PROTECT: plan_protect,
    Verb.RESTORE: plan_restore,
    Verb.DELETE: plan_delete,
    Verb.VERIFY: plan_verify,
}


def run_on_backup(
    context: CliContext,
    verb: Literal[Verb.RESTORE, Verb.DELETE, Verb.VERIFY],
    backup: Backup,
    backend: str | None,
    options_file: str | None,
    assignments: Sequence[str],
    deadline: timedelta | None,
) -> None:
    """Restore, delete or verify a backup, and tell how that ended.

    Raises:
        Failed: it did not succeed.
        KarborBackupError: it was refused, or could not be gone on with.
    """
    chosen = context.backends.select_for_backup(backup, backend)
    run_operation(context, chosen, verb, backup, options_file, assignments, deadline)


def run_operation(
    context: CliContext,
    backend: Backend,
    verb: Verb,
    target: Resource | Backup,
    options_file: str | None,
    assignments: Sequence[str],
    deadline: timedelta | None,
) -> None:
    """Run a verb on its target with the options that were given, and tell how that ended.

    Raises:
        Failed: it did not succeed.
        KarborBackupError: it was refused, or could not be gone on with.
    """
    resource = target.resource if isinstance(target, Backup) else target
    schema = backend.ability(resource.type, verb).schema
    given = read_options(options_file, assignments, schema)
    options = add_default_names(given, schema, resource, verb, system_clock())
    time_allowed = context.configuration.policy.deadline if deadline is None else deadline
    planned = _PLANNERS[verb](backend, target, options, deadline=time_allowed)
    ended = execute(context, backend, planned)
    report_result(ended, as_json=context.as_json)
