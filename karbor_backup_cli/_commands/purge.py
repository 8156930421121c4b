"""``karbor-backup purge``."""

from datetime import timedelta

import click

from karbor_backup_cli._context import CliContext, common_options, pass_cli_context
from karbor_backup_cli._durations import parse_duration_option
from karbor_backup_cli._streams import write_output


@click.command(short_help="Remove old released operations from the store.")
@click.option(
    "--older-than",
    required=True,
    type=parse_duration_option,
    metavar="DURATION",
    help="Remove operations created longer ago than this, such as 30d.",
)
@common_options
@pass_cli_context
def purge(context: CliContext, older_than: timedelta) -> None:
    """Remove from the store the released operations that were created longer ago than a duration.

    Backups stay, and so does every operation that is not released.
    """
    from karbor_backup_cli._output import emit_json, reporting_lost_output
    from karbor_backup_core import system_clock

    try:
        before = system_clock() - older_than
    except OverflowError:
        raise click.BadParameter(f"{older_than} ago is before year 1: give less") from None
    purged = context.store.purge(before)
    with reporting_lost_output(f"{purged} operations were purged"):
        if context.as_json:
            emit_json({"purged": purged})
        else:
            write_output(f"operations purged: {purged}")
