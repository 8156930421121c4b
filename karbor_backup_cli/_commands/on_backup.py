"""What restore, delete and verify have in common: they begin with a backup that exists."""

from collections.abc import Sequence
from datetime import timedelta

from karbor_backup_cli._context import CliContext
from karbor_backup_cli._default_names import add_default_names
from karbor_backup_cli._execution import execute
from karbor_backup_cli._options import read_options
from karbor_backup_cli._reports import report_result
from karbor_backup_core import Backup, Verb, system_clock


def run_on_backup(
    context: CliContext,
    verb: Verb,
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
    ended = execute(context, chosen, verb, backup, options, deadline)
    report_result(ended, as_json=context.as_json)
