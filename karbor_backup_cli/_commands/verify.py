"""``karbor-backup verify``."""

import click

from karbor_backup_cli._commands.shared_options import (
    OperationOptions,
    backend_option,
    operation_options,
    parse_unicode,
)
from karbor_backup_cli._context import CliContext, common_options, pass_cli_context
from karbor_backup_core import Verb


@click.command(short_help="Check whether a backup can be restored.")
@click.argument("backup", type=parse_unicode)
@backend_option
@operation_options
@common_options
@pass_cli_context
def verify(
    context: CliContext,
    backup: str,
    backend: str | None,
    given: OperationOptions,
) -> None:
    """Check whether a BACKUP can be restored; list what was verified and what was not."""
    from karbor_backup_cli._commands.run_operation import run_on_backup
    from karbor_backup_cli._lookup import find_backup

    found = find_backup(context.store, backup)
    run_on_backup(context, Verb.VERIFY, found, backend, given)
