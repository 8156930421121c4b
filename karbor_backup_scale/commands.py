"""The commands of the workers: ``worker``, ``workers``, ``queue``, ``schedules``, ``wait``.

Heavy libraries are imported where they are used: the command's help loads this module.
"""

from datetime import timedelta

import click

from karbor_backup_cli import (
    CliContext,
    common_options,
    parse_duration_option,
    parse_unicode,
    pass_cli_context,
)


@click.command(short_help="Drive operations from the queue, until it is stopped.")
@click.option(
    "--queues",
    type=parse_unicode,
    metavar="NAMES",
    help="Configured names of backends, separated by commas  [default: all that are configured].",
)
@click.option(
    "--hold",
    type=click.IntRange(1, 100_000),
    metavar="N",
    help="How many operations to drive at most  [default: hold in [workers], or 200].",
)
@common_options
@pass_cli_context
def worker(context: CliContext, queues: str | None, hold: int | None) -> None:
    """Drive operations that others leave to the workers (see --detach of protect).

    SIGTERM, or Ctrl-C, hands back what is not finished: another worker goes on with it. A second
    one ends the process at once, which loses nothing either.
    """
    from karbor_backup_scale._worker_command import run_worker

    run_worker(context, queues, hold)


@click.command(short_help="List the workers, and what they hold.")
@common_options
@pass_cli_context
def workers(context: CliContext) -> None:
    """List the workers that live, the operations that each one holds, and what waits."""
    from karbor_backup_scale._workers_report import report_workers

    report_workers(context)


@click.command(short_help="Show what waits for workers; upgrade the queue.")
@click.option(
    "--upgrade",
    is_flag=True,
    help="Bring the queue's tables to the installed release; stop all workers before.",
)
@common_options
@pass_cli_context
def queue(context: CliContext, *, upgrade: bool) -> None:
    """Show how many operations wait for workers and are driven by them, for each backend."""
    from karbor_backup_scale._queue_report import report_queue, upgrade_queue

    if upgrade:
        upgrade_queue(context)
    else:
        report_queue(context)


@click.command(short_help="List the schedules: when each begins next, and how the last ended.")
@common_options
@pass_cli_context
def schedules(context: CliContext) -> None:
    """List what is protected by schedules, when it begins next, and how the last time ended.

    A schedule stands in the configuration, in [schedules.NAME]; workers begin its operations.
    """
    from karbor_backup_scale.schedules.report import report_schedules

    report_schedules(context)


@click.command(short_help="Wait for the end of an operation, whoever drives it.")
@click.argument("operation", type=parse_unicode)
@click.option(
    "--timeout",
    type=parse_duration_option,
    metavar="DURATION",
    help="Wait no longer than that: 90s, 5m, 2h; the operation goes on  [default: no limit].",
)
@common_options
@pass_cli_context
def wait(context: CliContext, operation: str, timeout: timedelta | None) -> None:
    """Wait for the end of an OPERATION, and report it as the command that began it would.

    Ctrl-C only ends the waiting.
    """
    from karbor_backup_scale._wait import wait_for_end

    wait_for_end(context, operation, timeout)
