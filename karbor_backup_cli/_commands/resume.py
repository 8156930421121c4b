"""``karbor-backup resume``."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from karbor_backup_cli._commands.shared_options import parse_unicode
from karbor_backup_cli._context import CliContext, common_options, pass_cli_context
from karbor_backup_cli._streams import write_error, write_output
from karbor_backup_core import Operation, State

if TYPE_CHECKING:
    from karbor_backup_cli._unreadable_rows import UnreadableRows


@click.command(short_help="Continue operations that no process drives.")
@click.argument("operation", type=parse_unicode, required=False)
@common_options
@pass_cli_context
def resume(context: CliContext, operation: str | None) -> None:
    """Continue an OPERATION, or without one all operations that no process drives."""
    from karbor_backup_cli._errors import CommandFailed
    from karbor_backup_cli._execution import resume_all
    from karbor_backup_cli._output import reporting_lost_output
    from karbor_backup_cli._unreadable_rows import UnreadableRows

    unreadable = UnreadableRows()
    chosen = _select_operations(context, operation, unreadable)
    unreadable.warn()
    _announce_cancels(context, chosen)
    open_ones = [each for each in chosen if each.state is not State.RELEASED]
    resumed = resume_all(context, open_ones)
    ended = dict(zip((each.id for each in open_ones), resumed, strict=True))
    endings = [ended.get(each.id, each) for each in chosen]
    done = all(isinstance(each, Operation) and each.succeeded for each in endings)
    with reporting_lost_output(_summarize(chosen, endings), failed=not done):
        _print_results(context, chosen, endings)
    unreadable.fail_if_any()
    if not done:
        raise CommandFailed


def _select_operations(
    context: CliContext, text: str | None, unreadable: "UnreadableRows"
) -> Sequence[Operation]:
    """Return the operation that is meant, or all that no living process holds."""
    from karbor_backup_cli._lookup import find_operation
    from karbor_backup_core import system_clock

    if text is not None:
        return [find_operation(context.store, text)]
    now = context.store.now() or system_clock()
    lease = context.configuration.policy.lease
    return context.store.unowned(now, lease, on_unreadable=unreadable)


def _summarize(chosen: Sequence[Operation], endings: Sequence[Operation | Exception]) -> str:
    from karbor_backup_cli._reports import format_result

    return "; ".join(
        format_result(ending) if isinstance(ending, Operation) else _error_line(operation, ending)
        for operation, ending in zip(chosen, endings, strict=True)
    )


def _print_results(
    context: CliContext,
    chosen: Sequence[Operation],
    endings: Sequence[Operation | Exception],
) -> None:
    from karbor_backup_cli._errors import PROGRAM
    from karbor_backup_cli._formatting import format_error
    from karbor_backup_cli._output import emit_json
    from karbor_backup_cli._reports import format_already_ended, print_result
    from karbor_backup_core.documents import to_document

    pairs = list(zip(chosen, endings, strict=True))
    if context.as_json:
        emit_json(
            {
                "operations": [
                    to_document(each) for each in endings if isinstance(each, Operation)
                ],
                "errors": [
                    {"operation": operation.id, "message": format_error(error)}
                    for operation, error in pairs
                    if isinstance(error, Exception)
                ],
            }
        )
        return
    if not pairs:
        write_output("nothing to resume")
    for operation, ending in pairs:
        if not isinstance(ending, Operation):
            write_error(f"{PROGRAM}: {_error_line(operation, ending)}")
        elif operation.state is State.RELEASED:
            (write_output if operation.succeeded else write_error)(format_already_ended(operation))
        else:
            print_result(ending)


def _error_line(operation: Operation, error: Exception) -> str:
    """Describe why an operation could not be resumed, and name it once."""
    from karbor_backup_cli._formatting import format_error
    from karbor_backup_core import printable

    message = printable(format_error(error))
    return message if operation.id in message else f"operation {operation.id}: {message}"


def _announce_cancels(context: CliContext, chosen: Sequence[Operation]) -> None:
    """Print for which operations a cancel was requested before, and continues."""
    for each in chosen:
        if each.cancel_requested and each.outcome is None and not context.as_json:
            write_error(f"operation {each.id} is being cancelled; the cancel continues")
