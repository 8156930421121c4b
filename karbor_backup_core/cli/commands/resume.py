"""``karbor-backup resume``."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from karbor_backup_core.cli.commands.shared import unicode_text
from karbor_backup_core.cli.invocation import Invocation, common_options, pass_invocation
from karbor_backup_core.cli.streams import write_error, write_out
from karbor_backup_core.model import Operation, State

if TYPE_CHECKING:
    from karbor_backup_core.cli.unreadable import UnreadableRows


@click.command(short_help="Go on with operations that nobody drives.")
@click.argument("operation", type=unicode_text, required=False)
@common_options
@pass_invocation
def resume(invocation: Invocation, operation: str | None) -> None:
    """Go on with an OPERATION that was let go of, or with all that no process drives."""
    from karbor_backup_core.cli.failures import Failed
    from karbor_backup_core.cli.output import answering
    from karbor_backup_core.cli.reports import is_done
    from karbor_backup_core.cli.running import resume_all
    from karbor_backup_core.cli.unreadable import UnreadableRows

    unreadable = UnreadableRows()
    chosen = _chosen(invocation, operation, unreadable)
    unreadable.warn()
    _tell_of_cancels(invocation, chosen)
    open_ones = [each for each in chosen if each.state is not State.RELEASED]
    resumed = resume_all(invocation, open_ones)
    ended = dict(zip((each.id for each in open_ones), resumed, strict=True))
    endings = [ended.get(each.id, each) for each in chosen]
    done = all(isinstance(each, Operation) and is_done(each) for each in endings)
    with answering(_summary(chosen, endings), failed=not done):
        _tell(invocation, chosen, endings)
    unreadable.fail_if_any()
    if not done:
        raise Failed


def _chosen(
    invocation: Invocation, text: str | None, unreadable: "UnreadableRows"
) -> Sequence[Operation]:
    """Answer the operation that is meant, or all that no living process holds."""
    from karbor_backup_core.cli.identify import find_operation
    from karbor_backup_core.clock import system_clock
    from karbor_backup_core.owners import is_free

    if text is not None:
        return [find_operation(invocation.store, text)]
    now = invocation.store.now() or system_clock()
    lease = invocation.configuration.policy.lease
    return [
        each
        for each in invocation.store.operations(unreleased=True, on_unreadable=unreadable)
        if is_free(each, now, lease)
    ]


def _summary(chosen: Sequence[Operation], endings: Sequence[Operation | Exception]) -> str:
    from karbor_backup_core.cli.reports import ending_line

    return "; ".join(
        ending_line(ending) if isinstance(ending, Operation) else _error_line(operation, ending)
        for operation, ending in zip(chosen, endings, strict=True)
    )


def _tell(
    invocation: Invocation,
    chosen: Sequence[Operation],
    endings: Sequence[Operation | Exception],
) -> None:
    from karbor_backup_core.cli.failures import PROGRAM
    from karbor_backup_core.cli.output import emit_json
    from karbor_backup_core.cli.reports import is_done, over_line, tell
    from karbor_backup_core.cli.text import in_words
    from karbor_backup_core.documents import to_document

    pairs = list(zip(chosen, endings, strict=True))
    if invocation.as_json:
        emit_json(
            {
                "operations": [
                    to_document(each) for each in endings if isinstance(each, Operation)
                ],
                "errors": [
                    {"operation": operation.id, "message": in_words(error)}
                    for operation, error in pairs
                    if isinstance(error, Exception)
                ],
            }
        )
        return
    if not pairs:
        write_out("nothing to resume")
    for operation, ending in pairs:
        if not isinstance(ending, Operation):
            write_error(f"{PROGRAM}: {_error_line(operation, ending)}")
        elif operation.state is State.RELEASED:
            (write_out if is_done(operation) else write_error)(over_line(operation))
        else:
            tell(ending)


def _error_line(operation: Operation, error: Exception) -> str:
    """Say why an operation could not be gone on with, and name it once."""
    from karbor_backup_core.cli.text import in_words
    from karbor_backup_core.escaping import printable

    told = printable(in_words(error))
    return told if operation.id in told else f"operation {operation.id}: {told}"


def _tell_of_cancels(invocation: Invocation, chosen: Sequence[Operation]) -> None:
    """Say of which operations a cancel is gone on with: that was asked for before."""
    for each in chosen:
        if each.cancel_requested and each.outcome is None and not invocation.as_json:
            write_error(f"operation {each.id} is being cancelled; that goes on")
