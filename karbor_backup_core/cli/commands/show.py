"""``karbor-backup show``."""

from typing import TYPE_CHECKING

import click

from karbor_backup_core.cli.commands.shared import unicode_text
from karbor_backup_core.cli.invocation import Invocation, common_options, pass_invocation
from karbor_backup_core.model import Backup, Operation

if TYPE_CHECKING:
    from karbor_backup_core.cli.unreadable import UnreadableRows
    from karbor_backup_core.stores.sql import SQLStore


@click.command(short_help="Show a backup or an operation.")
@click.argument("id_", type=unicode_text, metavar="ID")
@click.option(
    "--document",
    is_flag=True,
    help="Print the backup's own JSON, which alone is enough to restore it elsewhere.",
)
@common_options
@pass_invocation
def show(invocation: Invocation, id_: str, *, document: bool) -> None:
    """Show a backup or an operation; the beginning of its ID is enough.

    A backup has the id of the operation that made it, so that both may be shown.
    """
    from karbor_backup_core.cli.details import backup_lines, operation_lines
    from karbor_backup_core.cli.identify import find_backup
    from karbor_backup_core.cli.output import emit_json, emit_lines
    from karbor_backup_core.cli.signing import signed_document
    from karbor_backup_core.cli.unreadable import UnreadableRows
    from karbor_backup_core.documents import to_document

    if document:
        emit_json(signed_document(invocation, find_backup(invocation.store, id_)))
        return
    unreadable = UnreadableRows()
    backup, operation = _find(invocation.store, id_, unreadable)
    unreadable.warn()
    if invocation.as_json:
        emit_json(
            {
                "backup": None if backup is None else signed_document(invocation, backup),
                "operation": None if operation is None else to_document(operation),
                "unreadable": unreadable.documents(),
            }
        )
    else:
        emit_lines([] if backup is None else backup_lines(backup))
        emit_lines([] if operation is None else operation_lines(operation))
    unreadable.fail_if_any()


def _find(
    store: "SQLStore", text: str, unreadable: "UnreadableRows"
) -> tuple[Backup | None, Operation | None]:
    """Answer the backup and the operation of that id, at least one of them.

    One of the two that is there but cannot be read is added to ``unreadable``.

    Raises:
        InvalidInput: there is neither, or the text may mean several.
    """
    from karbor_backup_core.cli.identify import find_backup, find_operation
    from karbor_backup_core.errors import InvalidInput, UnknownBackup, UnknownOperation
    from karbor_backup_core.stores.rows import UnreadableError

    operation = backup = None
    try:
        operation = find_operation(store, text)
    except UnknownOperation:
        pass
    except UnreadableError as error:
        unreadable(error.row)
    try:
        backup = find_backup(store, text if operation is None else operation.id)
    except UnknownBackup:
        pass
    except UnreadableError as error:
        unreadable(error.row)
    if backup is None and operation is None and not unreadable.rows:
        raise InvalidInput(f"{text!r}: there is no such backup, and no such operation")
    return backup, operation
