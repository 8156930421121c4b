"""``karbor-backup delete``."""

import sys

import click

from karbor_backup_cli._commands.shared_options import (
    OperationOptions,
    backend_option,
    operation_options,
    parse_unicode,
)
from karbor_backup_cli._context import CliContext, common_options, pass_cli_context
from karbor_backup_cli._streams import write_error
from karbor_backup_core import Backup, Verb


@click.command(short_help="Delete a backup.")
@click.argument("backup", type=parse_unicode)
@click.option("--yes", is_flag=True, help="Do not ask; required without a terminal.")
@backend_option
@operation_options
@common_options
@pass_cli_context
def delete(
    context: CliContext,
    backup: str,
    *,
    yes: bool,
    backend: str | None,
    given: OperationOptions,
) -> None:
    """Delete a BACKUP and no other; a unique prefix of its id is enough."""
    from karbor_backup_cli._commands.run_operation import run_on_backup
    from karbor_backup_cli._lookup import find_backup

    found = find_backup(context.store, backup)
    if not yes:
        _confirm(found)
    run_on_backup(context, Verb.DELETE, found, backend, given)


def _confirm(backup: Backup) -> None:
    from karbor_backup_cli._errors import CommandFailed
    from karbor_backup_cli._formatting import format_resource, format_time
    from karbor_backup_core import printable

    # Python has None for a stream whose descriptor was closed when the process began.
    if sys.stdin is None or not sys.stdin.isatty():
        raise click.UsageError("standard input is not a terminal: give --yes to delete")
    created = f"made {format_time(backup.created_at)}"
    question = (
        f"Delete backup {printable(backup.id)} of {format_resource(backup.resource)}, {created}?"
    )
    if not click.confirm(question, err=True):
        write_error("nothing was deleted")
        raise CommandFailed
