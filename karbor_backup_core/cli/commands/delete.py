"""``karbor-backup delete``."""

import sys
from datetime import timedelta

import click

from karbor_backup_core.cli.commands.shared import backend_option, operation_options, unicode_text
from karbor_backup_core.cli.invocation import Invocation, common_options, pass_invocation
from karbor_backup_core.cli.streams import write_error
from karbor_backup_core.model import Backup, Verb


@click.command(short_help="Remove a backup and no other.")
@click.argument("backup", type=unicode_text)
@click.option("--yes", is_flag=True, help="Do not ask; needed where nobody can be asked.")
@backend_option
@operation_options
@common_options
@pass_invocation
def delete(
    invocation: Invocation,
    backup: str,
    *,
    yes: bool,
    backend: str | None,
    options_file: str | None,
    assignments: tuple[str, ...],
    deadline: timedelta | None,
) -> None:
    """Remove a BACKUP and no other; the beginning of its id is enough."""
    from karbor_backup_core.cli.commands.existing import work_on
    from karbor_backup_core.cli.identify import find_backup

    found = find_backup(invocation.store, backup)
    if not yes:
        _confirm(found)
    work_on(invocation, Verb.DELETE, found, backend, options_file, assignments, deadline)


def _confirm(backup: Backup) -> None:
    from karbor_backup_core.cli.failures import Failed
    from karbor_backup_core.cli.text import moment, title
    from karbor_backup_core.escaping import printable

    # Python has None for a stream whose descriptor was closed when the process began.
    if sys.stdin is None or not sys.stdin.isatty():
        raise click.UsageError("nobody can be asked here: say --yes to delete")
    made = f"made {moment(backup.created_at)}"
    question = f"Delete backup {printable(backup.id)} of {title(backup.resource)}, {made}?"
    if not click.confirm(question, err=True):
        write_error("nothing was deleted")
        raise Failed
