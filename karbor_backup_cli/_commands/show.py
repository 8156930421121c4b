"""``karbor-backup show``."""

from typing import TYPE_CHECKING

import click

from karbor_backup_cli._commands.shared_options import parse_unicode
from karbor_backup_cli._context import CliContext, common_options, pass_cli_context
from karbor_backup_core import Backup, Operation

if TYPE_CHECKING:
    from karbor_backup_cli._unreadable_rows import UnreadableRows
    from karbor_backup_core.stores.sql import SQLStore


@click.command(short_help="Show a backup or an operation.")
@click.argument("id_", type=parse_unicode, metavar="ID")
@click.option(
    "--document",
    is_flag=True,
    help="Print the backup's JSON document, which is enough to restore it elsewhere.",
)
@common_options
@pass_cli_context
def show(context: CliContext, id_: str, *, document: bool) -> None:
    """Show a backup or an operation; a unique prefix of its ID is enough.

    A backup has the id of the operation that created it, so the command may show both.
    """
    from karbor_backup_cli._details import format_backup, format_operation
    from karbor_backup_cli._document_signing import sign_backup
    from karbor_backup_cli._lookup import count_queued_before, find_backup
    from karbor_backup_cli._output import emit_json, emit_lines
    from karbor_backup_cli._unreadable_rows import UnreadableRows
    from karbor_backup_core.documents import to_document

    if document:
        emit_json(sign_backup(context, find_backup(context.store, id_)))
        return
    unreadable = UnreadableRows()
    backup, operation = _find_backup_and_operation(context.store, id_, unreadable)
    unreadable.warn()
    if context.as_json:
        emit_json(
            {
                "backup": None if backup is None else sign_backup(context, backup),
                "operation": None if operation is None else to_document(operation),
                "unreadable": unreadable.documents(),
            }
        )
    else:
        emit_lines([] if backup is None else format_backup(backup))
        if operation is not None:
            before = count_queued_before(context.store, operation)
            emit_lines(format_operation(operation, before))
    unreadable.fail_if_any()


def _find_backup_and_operation(
    store: "SQLStore", text: str, unreadable: "UnreadableRows"
) -> tuple[Backup | None, Operation | None]:
    """Return the backup and the operation of that id, at least one of them.

    One of the two that is there but cannot be read is added to ``unreadable``.

    Raises:
        InvalidInput: there is neither, or the text may mean several.
    """
    from karbor_backup_cli._lookup import find_backup, find_operation
    from karbor_backup_core import InvalidInput, UnknownBackup, UnknownOperation
    from karbor_backup_core.stores.sql import UnreadableRowError

    operation = backup = None
    try:
        operation = find_operation(store, text)
    except UnknownOperation:
        pass
    except UnreadableRowError as error:
        unreadable(error.row)
    try:
        backup = find_backup(store, text if operation is None else operation.id)
    except UnknownBackup:
        pass
    except UnreadableRowError as error:
        unreadable(error.row)
    if backup is None and operation is None and not unreadable.rows:
        raise InvalidInput(f"{text!r}: there is no such backup, and no such operation")
    return backup, operation
