"""``karbor-backup workers``."""

from collections.abc import Iterator
from typing import Any, Final

from karbor_backup_cli import CliContext, emit_json, emit_table, write_output
from karbor_backup_scale._database import QueueDatabase
from karbor_backup_scale._queue_report import describe_waiting, list_queues
from karbor_backup_scale.settings import WorkerSettings

_SELECT_WORKERS: Final = """
SELECT w.worker_id AS id, w.host, w.pid, w.queues, w.hold, w.limits, w.started_at,
       extract(epoch FROM now() - p.last_heartbeat)::float AS silent_seconds
FROM karbor_backup_workers w JOIN procrastinate_workers p ON p.id = w.worker_id
ORDER BY w.worker_id
"""
_SELECT_JOBS: Final = """
SELECT worker_id, queue_name AS queue, queueing_lock AS operation FROM procrastinate_jobs
WHERE status = 'doing' AND worker_id IS NOT NULL AND queueing_lock IS NOT NULL
ORDER BY id
"""


def report_workers(context: CliContext) -> None:
    """List the workers, the operations that each one holds, and what waits for workers.

    Raises:
        KarborBackupError: there is no queue, or it cannot be used.
    """
    database = QueueDatabase.from_configuration(context.configuration)
    database.check_or_create_tables(create=False)
    dead_after = WorkerSettings.from_configuration(context.configuration).dead_after
    with database.connect() as connection:
        rows = connection.execute(_SELECT_WORKERS).fetchall()
        jobs = connection.execute(_SELECT_JOBS).fetchall()
        queues = list_queues(connection)
    workers = [_to_document(row, jobs, dead_after.total_seconds()) for row in rows]
    if context.as_json:
        emit_json({"workers": workers, "queues": queues})
        return
    if not workers:
        write_output("no workers")
    else:
        emit_table(
            ("WORKER", "HOST", "PID", "QUEUES", "HOLDS", "LAST SIGN OF LIFE"),
            [_to_row(each) for each in workers],
        )
    for each in workers:
        for operation in each["operations"]:
            write_output(f"worker {each['id']} holds operation {operation}")
    for line in _describe_limits(workers):
        write_output(line)
    served = {queue for each in workers for queue in each["queues"]}
    for line in describe_waiting(queues, served):
        write_output(line)


def _describe_limits(workers: list[dict[str, Any]]) -> Iterator[str]:
    """Name the backends of which the living workers have different limits."""
    living = [each for each in workers if each["alive"]]
    for backend in sorted({name for each in living for name in each["limits"]}):
        limits = {each["id"]: each["limits"].get(backend) for each in living}
        if len(set(limits.values())) > 1:
            named = ", ".join(f"worker {key}: {value or 'none'}" for key, value in limits.items())
            smallest = min(filter(None, limits.values()))
            yield (
                f"the workers have different limits of {backend} ({named}): {smallest} holds for "
                "all; give each the same [workers]"
            )


def _to_document(
    row: dict[str, Any], jobs: list[dict[str, Any]], dead_after: float
) -> dict[str, Any]:
    held = [
        job["operation"]
        for job in jobs
        if job["worker_id"] == row["id"] and job["queue"] in row["queues"]
    ]
    return {
        **row,
        "started_at": row["started_at"].isoformat(),
        "alive": row["silent_seconds"] < dead_after,
        "operations": held,
    }


def _to_row(worker: dict[str, Any]) -> tuple[str, ...]:
    silent = f"{worker['silent_seconds']:.0f} s ago"
    return (
        str(worker["id"]),
        worker["host"],
        str(worker["pid"]),
        ", ".join(worker["queues"]),
        f"{len(worker['operations'])}/{worker['hold']}",
        silent if worker["alive"] else f"{silent}: dead",
    )
