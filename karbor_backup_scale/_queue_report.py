"""``karbor-backup queue``."""

from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from karbor_backup_cli import CliContext, emit_json, emit_table, write_output
from karbor_backup_scale._database import QueueDatabase
from karbor_backup_scale._names import DRIVE_TASK

if TYPE_CHECKING:
    import psycopg

_SELECT_QUEUES: Final = """
SELECT queue_name AS queue,
       count(*) FILTER (WHERE status = 'todo') AS waiting,
       count(*) FILTER (WHERE status = 'doing') AS held
FROM procrastinate_jobs
WHERE task_name = %s AND status IN ('todo', 'doing')
GROUP BY queue_name ORDER BY queue_name
"""


def list_queues(connection: "psycopg.Connection[dict[str, Any]]") -> list[dict[str, Any]]:
    """Return for each queue with jobs how many operations wait, and how many workers hold."""
    return connection.execute(_SELECT_QUEUES, [DRIVE_TASK]).fetchall()


def describe_waiting(queues: Sequence[dict[str, Any]], served: Collection[str]) -> Iterator[str]:
    """Yield a line for each queue in which operations wait.

    Args:
        queues: as ``list_queues`` returns them.
        served: the queues that a worker serves.
    """
    for each in queues:
        if each["waiting"]:
            nobody = "" if each["queue"] in served else ", which no worker serves"
            yield f"{each['waiting']} operations wait in queue {each['queue']}{nobody}"


def report_queue(context: CliContext) -> None:
    """Show how many operations wait and are held.

    Raises:
        KarborBackupError: there is no queue, or it cannot be used.
    """
    database = QueueDatabase.from_configuration(context.configuration)
    database.check_or_create_tables(create=False)
    with database.connect() as connection:
        queues = list_queues(connection)
    if context.as_json:
        emit_json({"queues": queues})
    elif not queues:
        write_output("the queue is empty")
    else:
        rows = [(each["queue"], str(each["waiting"]), str(each["held"])) for each in queues]
        emit_table(("QUEUE", "WAITING", "HELD"), rows)


def upgrade_queue(context: CliContext) -> None:
    """Apply the migrations that the queue's tables lack.

    Raises:
        KarborBackupError: there is no queue, or it cannot be upgraded.
    """
    database = QueueDatabase.from_configuration(context.configuration)
    applied = database.upgrade()
    if context.as_json:
        emit_json({"applied": applied})
    elif not applied:
        write_output("the queue's tables are up to date")
    for name in () if context.as_json else applied:
        write_output(f"applied {name}")
