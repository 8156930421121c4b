"""``karbor-backup operations``."""

from collections.abc import Sequence
from typing import Final

import click

from karbor_backup_core.cli.invocation import Invocation, common_options, pass_invocation
from karbor_backup_core.cli.streams import write_out
from karbor_backup_core.model import Operation, State

_RECENT: Final = 10
"""How many released operations are shown without ``--all``."""


@click.command(short_help="List operations, the unfinished and the last.")
@click.option("--all", "every", is_flag=True, help="Show all, not only the last released ones.")
@common_options
@pass_invocation
def operations(invocation: Invocation, *, every: bool) -> None:
    """List operations, the oldest first: all that are not released, and the last ones that are.

    One that cannot be read is named on the standard error, and the exit status is 1.
    """
    from karbor_backup_core.cli.output import emit_json, emit_table
    from karbor_backup_core.cli.unreadable import UnreadableRows
    from karbor_backup_core.documents import to_document

    unreadable = UnreadableRows()
    known = invocation.store.operations(on_unreadable=unreadable)
    unreadable.warn()
    shown = known if every else _recent(known)
    if invocation.as_json:
        documents = [to_document(operation) for operation in shown]
        emit_json({"operations": documents, "unreadable": unreadable.documents()})
    elif not shown:
        write_out("no operations")
    else:
        emit_table(
            ("OPERATION", "BEGUN", "VERB", "TYPE", "ID", "STATUS", "PROGRESS"),
            [_row(operation) for operation in shown],
        )
    unreadable.fail_if_any()


def _recent(known: Sequence[Operation]) -> list[Operation]:
    released = [each.id for each in known if each.state is State.RELEASED]
    hidden = set(released[:-_RECENT])
    return [each for each in known if each.id not in hidden]


def _row(operation: Operation) -> tuple[str, ...]:
    from karbor_backup_core.cli.text import amount, moment, status

    return (
        operation.id,
        moment(operation.created_at),
        operation.verb.value,
        operation.resource.type,
        operation.resource.id,
        status(operation),
        amount(operation.done, operation.total, operation.unit),
    )
