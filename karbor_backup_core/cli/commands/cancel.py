"""``karbor-backup cancel``."""

import click

from karbor_backup_core.cli.commands.shared import unicode_text
from karbor_backup_core.cli.invocation import Invocation, common_options, pass_invocation
from karbor_backup_core.model import Result


@click.command(short_help="Cancel an operation and wait for its end.")
@click.argument("operation", type=unicode_text)
@common_options
@pass_invocation
def cancel(invocation: Invocation, operation: str) -> None:
    """Cancel an OPERATION and wait for its end, whichever process drives it."""
    from karbor_backup_core.cli.identify import find_operation
    from karbor_backup_core.cli.reports import report
    from karbor_backup_core.cli.running import cancel_and_wait

    found = find_operation(invocation.store, operation)
    ended = cancel_and_wait(invocation, found)
    report(ended, as_json=invocation.as_json, wanted=Result.CANCELLED)
