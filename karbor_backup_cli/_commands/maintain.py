"""``karbor-backup maintain``."""

import click

from karbor_backup_cli._commands.shared_options import (
    OperationOptions,
    backend_option,
    operation_options,
    parse_unicode,
)
from karbor_backup_cli._context import CliContext, common_options, pass_cli_context


@click.command(short_help="Maintain what all backups of a backend share.")
@click.argument("action", type=parse_unicode)
@backend_option
@operation_options
@common_options
@pass_cli_context
def maintain(
    context: CliContext,
    action: str,
    backend: str | None,
    given: OperationOptions,
) -> None:
    """Maintain what all backups of a backend share, such as a repository.

    ACTION is one that `karbor-backup backends` lists for the backend, such as prune.
    """
    from karbor_backup_cli._commands.run_operation import run_maintenance

    chosen = context.backends.select(backend)
    run_maintenance(context, chosen, action, given)
