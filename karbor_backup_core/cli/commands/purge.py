"""``karbor-backup purge``."""

from datetime import timedelta

import click

from karbor_backup_core.cli.durations import duration_option
from karbor_backup_core.cli.invocation import Invocation, common_options, pass_invocation
from karbor_backup_core.cli.streams import write_out


@click.command(short_help="Forget operations that were released long ago.")
@click.option(
    "--older-than",
    required=True,
    type=duration_option,
    metavar="DURATION",
    help="Those begun longer ago than that, such as 30d.",
)
@common_options
@pass_invocation
def purge(invocation: Invocation, older_than: timedelta) -> None:
    """Forget the operations that are released and were begun longer ago than a duration.

    Backups stay, and so does every operation that is not released.
    """
    from karbor_backup_core.cli.output import answering, emit_json
    from karbor_backup_core.clock import system_clock

    try:
        before = system_clock() - older_than
    except OverflowError:
        raise click.BadParameter(f"{older_than} ago is before all time: give less") from None
    purged = invocation.store.purge(before)
    with answering(f"{purged} operations were forgotten"):
        if invocation.as_json:
            emit_json({"purged": purged})
        else:
            write_out(f"operations forgotten: {purged}")
