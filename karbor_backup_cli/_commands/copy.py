"""``karbor-backup copy``."""

import click

from karbor_backup_cli._commands.shared_options import (
    OperationOptions,
    operation_options,
    parse_unicode,
)
from karbor_backup_cli._context import CliContext, common_options, pass_cli_context
from karbor_backup_core import Verb


@click.command(short_help="Make a second backup of a backup, in another place.")
@click.argument("backup", type=parse_unicode)
@click.option(
    "--to",
    "destination",
    type=parse_unicode,
    metavar="NAME",
    required=True,
    help="Configured name of the backend that is to have the copy.",
)
@operation_options
@common_options
@pass_cli_context
def copy(
    context: CliContext,
    backup: str,
    destination: str,
    given: OperationOptions,
) -> None:
    """Make a second backup of a BACKUP, in the place that another backend uses.

    The copy is a backup like any other, with an id of its own. It is restored from its own place,
    also when the first one is gone.
    """
    from karbor_backup_cli._commands.run_operation import run_operation
    from karbor_backup_cli._lookup import find_backup

    found = find_backup(context.store, backup)
    run_operation(context, context.backends.select(destination), Verb.COPY, found, given)
