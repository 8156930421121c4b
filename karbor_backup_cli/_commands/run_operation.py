"""What restore, delete and verify have in common: they begin with a backup that exists."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, Literal

from karbor_backup_cli._context import CliContext
from karbor_backup_cli._default_names import add_default_names
from karbor_backup_cli._execution import execute
from karbor_backup_cli._options import read_options
from karbor_backup_cli._reports import report_result
from karbor_backup_core import (
    Backup,
    Verb,
    plan_delete,
    plan_restore,
    plan_verify,
    system_clock,
)

_PLANNERS: Final = {
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
    schema = chosen.ability(backup.resource.type, verb).schema
    given = read_options(options_file, assignments, schema)
    options = add_default_names(given, schema, backup.resource, verb, system_clock())
    time_allowed = context.configuration.policy.deadline if deadline is None else deadline
    planned = _PLANNERS[verb](chosen, backup, options, deadline=time_allowed)
    ended = execute(context, chosen, planned)
    report_result(ended, as_json=context.as_json)
