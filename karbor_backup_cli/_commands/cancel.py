"""``karbor-backup cancel``."""

import click

from karbor_backup_cli._commands.shared_options import parse_unicode
from karbor_backup_cli._context import CliContext, common_options, pass_cli_context
from karbor_backup_core import Result


@click.command(short_help="Cancel an operation and wait for its end.")
@click.argument("operation", type=parse_unicode)
@common_options
@pass_cli_context
def cancel(context: CliContext, operation: str) -> None:
    """Cancel an OPERATION and wait for its end, whichever process drives it."""
    from karbor_backup_cli._execution import cancel_and_wait
    from karbor_backup_cli._lookup import find_operation
    from karbor_backup_cli._reports import report_result

    found = find_operation(context.store, operation)
    ended = cancel_and_wait(context, found)
    report_result(ended, as_json=context.as_json, wanted=Result.CANCELLED)
