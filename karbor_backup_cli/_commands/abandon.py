"""``karbor-backup abandon``."""

import click

from karbor_backup_cli._commands.shared_options import parse_unicode
from karbor_backup_cli._context import CliContext, common_options, pass_cli_context
from karbor_backup_cli._streams import write_output


@click.command(short_help="Abandon an operation whose work never ends.")
@click.argument("operation", type=parse_unicode)
@common_options
@pass_cli_context
def abandon(context: CliContext, operation: str) -> None:
    """Abandon a suspended OPERATION whose work never ends.

    The command makes no request to the backend. It lists the leftovers, for you to remove, and
    releases the backup for other operations.
    """
    from karbor_backup_cli._lookup import find_operation
    from karbor_backup_cli._output import emit_json, reporting_lost_output
    from karbor_backup_cli._reports import print_result
    from karbor_backup_core import Driver
    from karbor_backup_core.documents import to_document

    found = find_operation(context.store, operation)
    abandoned = Driver(context.store, {}).abandon(found.id)
    with reporting_lost_output(f"operation {abandoned.id} was abandoned"):
        if context.as_json:
            emit_json(to_document(abandoned))
        else:
            write_output(f"abandoned: operation {abandoned.id}")
            print_result(abandoned)
