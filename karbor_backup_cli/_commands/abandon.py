"""``karbor-backup abandon``."""

import click

from karbor_backup_cli._commands.shared_options import parse_unicode
from karbor_backup_cli._context import CliContext, common_options, pass_cli_context
from karbor_backup_cli._streams import write_output


@click.command(short_help="Abandon an operation whose work never ends, or whose host is gone.")
@click.argument("operation", type=parse_unicode)
@common_options
@pass_cli_context
def abandon(context: CliContext, operation: str) -> None:
    """Abandon a suspended OPERATION whose work never ends, or one whose host is gone.

    The command makes no request to the backend. It lists the leftovers, for you to remove, and
    releases the backup for other operations.
    """
    from karbor_backup_cli._lookup import find_operation
    from karbor_backup_cli._output import emit_json, reporting_lost_output
    from karbor_backup_cli._reports import print_result
    from karbor_backup_core import Driver
    from karbor_backup_core.documents import to_document

    found = find_operation(context.store, operation)
    # Of one that is not suspended it has to be known whether its host is this one.
    bound = found.place is not None and not found.suspended
    backends = {found.backend: context.backends.load(found.backend)} if bound else {}
    abandoned = Driver(context.store, backends).abandon(found.id)
    with reporting_lost_output(f"operation {abandoned.id} was abandoned"):
        if context.as_json:
            emit_json(to_document(abandoned))
        else:
            write_output(f"abandoned: operation {abandoned.id}")
            print_result(abandoned)
