"""What restore, delete and verify have in common: they begin with a backup that exists."""

from collections.abc import Sequence
from datetime import timedelta

from karbor_backup_core.cli.default_names import with_default_names
from karbor_backup_core.cli.invocation import Invocation
from karbor_backup_core.cli.options import read_options
from karbor_backup_core.cli.reports import report
from karbor_backup_core.cli.running import perform
from karbor_backup_core.clock import system_clock
from karbor_backup_core.model import Backup, Verb


def work_on(
    invocation: Invocation,
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
    chosen = invocation.backends.choose_for(backup, backend)
    schema = chosen.ability(backup.resource.type, verb).schema
    given = read_options(options_file, assignments, schema)
    options = with_default_names(given, schema, backup.resource, verb, system_clock())
    ended = perform(invocation, chosen, verb, backup, options, deadline)
    report(ended, as_json=invocation.as_json)
