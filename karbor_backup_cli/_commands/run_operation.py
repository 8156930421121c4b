"""What the commands have in common that run an operation to its end."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final, Literal

from karbor_backup_cli._commands.shared_options import OperationOptions
from karbor_backup_cli._context import CliContext
from karbor_backup_cli._default_names import add_default_names
from karbor_backup_cli._detaching import detach, report_detached
from karbor_backup_cli._execution import execute
from karbor_backup_cli._options import read_options
from karbor_backup_cli._reports import report_result
from karbor_backup_core import (
    Backend,
    Backup,
    Operation,
    Resource,
    Verb,
    plan_copy,
    plan_delete,
    plan_maintenance,
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
    Verb.COPY: plan_copy,
}


def run_on_backup(
    context: CliContext,
    verb: Literal[Verb.RESTORE, Verb.DELETE, Verb.VERIFY],
    backup: Backup,
    backend: str | None,
    given: OperationOptions,
) -> None:
    """Restore, delete or verify a backup, and tell how that ended.

    Raises:
        Failed: it did not succeed.
        KarborBackupError: it was refused, or could not be gone on with.
    """
    chosen = context.backends.select_for_backup(backup, backend)
    run_operation(context, chosen, verb, backup, given)


def run_maintenance(
    context: CliContext, backend: Backend, action: str, given: OperationOptions
) -> None:
    """Maintain what all backups of a backend share, and tell how that ended.

    Raises:
        Failed: it did not succeed.
        KarborBackupError: it was refused, or could not be gone on with.
    """
    schema = backend.require_ability(action, Verb.MAINTAIN).schema
    options = read_options(given.file, given.assignments, schema)
    planned = plan_maintenance(backend, action, options, deadline=_time_allowed(context, given))
    _run_planned(context, backend, planned, given)


def run_operation(
    context: CliContext,
    backend: Backend,
    verb: Verb,
    target: Resource | Backup,
    given: OperationOptions,
) -> None:
    """Run a verb on its target with the options that were given, and tell how that ended.

    Raises:
        Failed: it did not succeed.
        KarborBackupError: it was refused, or could not be gone on with.
    """
    resource = target.resource if isinstance(target, Backup) else target
    schema = backend.ability(resource.type, verb).schema
    read = read_options(given.file, given.assignments, schema)
    options = add_default_names(read, schema, resource, verb, system_clock())
    deadline = _time_allowed(context, given)
    _run_planned(
        context, backend, _PLANNERS[verb](backend, target, options, deadline=deadline), given
    )


def _time_allowed(context: CliContext, given: OperationOptions) -> timedelta:
    return context.configuration.policy.deadline if given.deadline is None else given.deadline


def _run_planned(
    context: CliContext, backend: Backend, planned: Operation, given: OperationOptions
) -> None:
    if given.detached and not planned.finished:
        report_detached(detach(context, backend, planned), as_json=context.as_json)
        return
    ended = execute(context, backend, planned)
    report_result(ended, as_json=context.as_json)
