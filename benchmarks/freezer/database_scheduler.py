"""Schedulers and agents played straight on the Freezer API's database.

A ``freezer-scheduler`` asks for its jobs in pages of ten, and for each page the API loads all jobs
of the project; with a thousand of them that would keep the API busier than any client that is to
be measured. So this one reads and writes the tables of freezer-api 19.0.0 itself: it takes up what
is to start, and after a time it ends it, with the record that an agent's backup leaves. It knows
to the millisecond when each job ended.
"""

import contextlib
import json
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Self

import attrs
import sqlalchemy as sa

INTERVAL: Final = 0.05
"""Seconds between two looks at the tables."""

_TABLES: Final = ("actions", "action_reports", "backups", "job_actions", "jobs")


@attrs.frozen
class _RunningJob:
    """A job that runs."""

    id: str
    ends_at: float
    record: dict[str, Any] | None


class DatabaseScheduler:
    """Runs the jobs of one client id, all at once, each for the same time.

    Args:
        database: the API's.
        client: the client id.
        seconds: how long a job runs.
    """

    def __init__(self, database: sa.Engine, client: str, seconds: float) -> None:
        self._database = database
        self._tables = reflect_tables(database)
        self._startable = _select_startable_jobs(self._tables, client)
        self._seconds = seconds
        self._running: dict[str, _RunningJob] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="database-scheduler", daemon=True)
        self.end_times: dict[str, float] = {}
        """When each job ended, in seconds since 1970, by its id."""
        self.max_running = 0
        """How many have run at once."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(INTERVAL):
            self._start_jobs()
            self._finish_jobs()

    def _start_jobs(self) -> None:
        now = time.time()
        with self._database.begin() as connection:
            rows = connection.execute(self._startable).all()
            if not rows:
                return
            schedule = _format_schedule("running", time_started=int(now), time_ended=-1)
            connection.execute(self._update_schedules([row.id for row in rows], schedule))
        for row in rows:
            self._running[row.id] = _RunningJob(
                row.id, now + self._seconds, _backup_record(row, now)
            )
        self.max_running = max(self.max_running, len(self._running))

    def _finish_jobs(self) -> None:
        now = time.time()
        due = [job for job in self._running.values() if job.ends_at <= now]
        if not due:
            return
        schedule = _format_schedule("completed", result="success", time_ended=int(now))
        with self._database.begin() as connection:
            records = [job.record for job in due if job.record is not None]
            if records:
                connection.execute(self._tables["backups"].insert(), records)
            connection.execute(self._update_schedules([job.id for job in due], schedule))
        ended = time.time()
        for job in due:
            self.end_times[job.id] = ended
            del self._running[job.id]

    def _update_schedules(self, jobs: Sequence[str], schedule: str) -> sa.Update:
        table = self._tables["jobs"]
        return table.update().where(table.c.id.in_(jobs)).values(schedule=schedule)


def reflect_tables(database: sa.Engine) -> Mapping[str, sa.Table]:
    """Return the tables that a job is kept in, by name."""
    metadata = sa.MetaData()
    metadata.reflect(database, only=_TABLES)
    return metadata.tables


def truncate_tables(database: sa.Engine) -> None:
    """Empty the tables of jobs, actions and backups, with what is marked as deleted there."""
    with _without_foreign_keys(database) as connection:
        for table in _TABLES:
            connection.execute(sa.text(f"TRUNCATE {table}"))


def add_other_jobs(database: sa.Engine, project: str, count: int) -> None:
    """Put other people's jobs into a project: each with an action, and with a record."""
    common = {"project_id": project, "user_id": "stranger", "deleted": False}
    fields = json.dumps({"action": "backup", "mode": "fs", "storage": "swift"})
    schedule = _format_schedule("completed", result="success")
    rows: dict[str, list[dict[str, Any]]] = {table: [] for table in _TABLES}
    for _ in range(count):
        job, action, link, record = (uuid.uuid4().hex for _ in range(4))
        job_row = {"id": job, "schedule": schedule, "client_id": "theirs", "session_id": ""}
        rows["jobs"].append({**common, **job_row})
        action_row = {"id": action, "action": "backup", "actionmode": "fs", "container": job}
        rows["actions"].append({**common, **action_row, "backup_metadata": fields})
        rows["backups"].append(
            {**common, "id": record, "job_id": job, "status": "available"}
            | {"backup_metadata": fields}
        )
        rows["job_actions"].append(
            {"id": link, "job_id": job, "action_id": action, "position": 0, "deleted": False}
        )
    known = reflect_tables(database)
    with _without_foreign_keys(database) as connection:
        for table, values in rows.items():
            if values:
                connection.execute(known[table].insert(), values)


@contextlib.contextmanager
def _without_foreign_keys(database: sa.Engine) -> Iterator[sa.Connection]:
    """Write rows in any order, and of jobs of a client and a session that are in no table."""
    with database.begin() as connection:
        connection.execute(sa.text("SET foreign_key_checks = 0"))
        yield connection
        connection.execute(sa.text("SET foreign_key_checks = 1"))


def _select_startable_jobs(known: Mapping[str, sa.Table], client: str) -> sa.Select[Any]:
    """Return the jobs of a client id that are to start, with their actions."""
    jobs, links, actions = known["jobs"], known["job_actions"], known["actions"]
    return (
        sa.select(
            jobs.c.id,
            jobs.c.user_id,
            jobs.c.project_id,
            actions.c.backup_metadata,
            actions.c.container,
            actions.c.backup_name,
        )
        .join_from(jobs, links, links.c.job_id == jobs.c.id)
        .join(actions, actions.c.id == links.c.action_id)
        .where(
            jobs.c.deleted == sa.false(),
            jobs.c.client_id == client,
            jobs.c.schedule.contains('"event": "start"'),
        )
    )


def _format_schedule(status: str, *, result: str = "", **more: int) -> str:
    return json.dumps({"event": "", "status": status, "result": result, **more})


def _backup_record(row: Any, now: float) -> dict[str, Any] | None:
    """Return the record that an agent's backup leaves; other work leaves none."""
    fields = json.loads(row.backup_metadata)
    if fields.get("action") != "backup":
        return None
    metadata = {
        **fields,
        "container": row.container,
        "backup_name": row.backup_name,
        "job_id": row.id,
        "time_stamp": int(now),
        "client_version": "19.0.0",
        "curr_backup_level": 0,
    }
    return {
        "id": uuid.uuid4().hex,
        "job_id": row.id,
        "project_id": row.project_id,
        "user_id": row.user_id,
        "status": "available",
        "backup_metadata": json.dumps(metadata),
        "deleted": False,
    }
