"""``karbor-backup forget``."""

import click

from karbor_backup_core.cli.commands.shared import unicode_text
from karbor_backup_core.cli.invocation import Invocation, common_options, pass_invocation
from karbor_backup_core.cli.streams import write_out


@click.command(short_help="Give up on an operation whose work never ends.")
@click.argument("operation", type=unicode_text)
@common_options
@pass_invocation
def forget(invocation: Invocation, operation: str) -> None:
    """Give up for good on a parked OPERATION, one that left something behind.

    Nothing is asked of its backend. What it left is named once more, for you to remove; its
    backup is free for other operations.
    """
    from karbor_backup_core.cli.identify import find_operation
    from karbor_backup_core.cli.output import answering, emit_json
    from karbor_backup_core.cli.reports import tell
    from karbor_backup_core.documents import to_document
    from karbor_backup_core.driver import Driver

    found = find_operation(invocation.store, operation)
    forgotten = Driver(invocation.store, {}).forget(found.id)
    with answering(f"operation {forgotten.id} was forgotten"):
        if invocation.as_json:
            emit_json(to_document(forgotten))
        else:
            write_out(f"forgotten: operation {forgotten.id}")
            tell(forgotten)
