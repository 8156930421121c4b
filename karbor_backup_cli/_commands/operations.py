"""``karbor-backup operations``."""

from collections.abc import Sequence
from typing import Final

import click

from karbor_backup_cli._context import CliContext, common_options, pass_cli_context
from karbor_backup_cli._streams import write_output
from karbor_backup_core import Operation, State

_MAX_RELEASED: Final = 10
"""How many released operations are shown without ``--all``."""


@click.command(short_help="List the unfinished and the latest operations.")
@click.option("--all", "every", is_flag=True, help="List every operation, released ones included.")
@common_options
@pass_cli_context
def operations(context: CliContext, *, every: bool) -> None:
    """List the operations that are not released, and the latest released ones, the oldest first.

    If an operation cannot be read, standard error names it, and the exit status is 1.
    """
    from karbor_backup_cli._output import emit_json, emit_table
    from karbor_backup_cli._unreadable_rows import UnreadableRows
    from karbor_backup_core.documents import to_document

    unreadable = UnreadableRows()
    known = context.store.operations(on_unreadable=unreadable)
    unreadable.warn()
    shown = known if every else _select_recent(known)
    if context.as_json:
        documents = [to_document(operation) for operation in shown]
        emit_json({"operations": documents, "unreadable": unreadable.documents()})
    elif not shown:
        write_output("no operations")
    else:
        emit_table(
            ("OPERATION", "BEGUN", "VERB", "TYPE", "ID", "STATUS", "PROGRESS"),
            [_table_row(operation) for operation in shown],
        )
    unreadable.fail_if_any()


def _select_recent(known: Sequence[Operation]) -> list[Operation]:
    released = [each.id for each in known if each.state is State.RELEASED]
    hidden = set(released[:-_MAX_RELEASED])
    return [each for each in known if each.id not in hidden]


def _table_row(operation: Operation) -> tuple[str, ...]:
    from karbor_backup_cli._formatting import format_amount, format_status, format_time

    return (
        operation.id,
        format_time(operation.created_at),
        operation.verb.value,
        operation.resource.type,
        operation.resource.id,
        format_status(operation),
        format_amount(operation.amount),
    )
