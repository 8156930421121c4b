"""Routing, limits and the tables of the queue."""

import contextlib
import threading

import attrs
import psycopg
import pytest

from karbor_backup_core import ManualClock, Place
from karbor_backup_core.stores.sql import SQLStore
from karbor_backup_fake import FakeCloud
from karbor_backup_scale._connection_parameters import postgresql_parameters
from karbor_backup_scale._database import (
    QueueDatabase,
    QueueError,
    QueueNotFound,
    create_own_tables,
    list_migrations,
    read_migration_text,
)
from karbor_backup_scale.detach import DetachedQueue
from tests.core.execution.killed_runner import serve_cloud
from tests.scale.harness import WorkerHarness, wait_until
from tests.scale.worker_main import BACKEND, MORTAL_SETTINGS, SETTINGS


def test_limit_of_a_backend_bounds_all_workers_together(harness: WorkerHarness) -> None:
    settings = attrs.evolve(SETTINGS, limits={BACKEND: 3})
    harness.add_running_operations(8)
    for _ in range(2):
        harness.start(settings=settings, wait=True)
    harness.wait_until_running(3)
    # Each worker has looked for jobs again since, and found no slot.
    wait_until(lambda: sum(job["attempts"] for job in harness.jobs()) >= 4)
    assert len(harness.cloud.jobs()) == 3
    harness.finish_work()
    harness.wait_until_idle()
    harness.check_consistency()


@pytest.mark.parametrize("other", [{}, {BACKEND: 5}])
def test_smallest_limit_of_all_workers_holds(harness: WorkerHarness, other: dict[str, int]) -> None:
    for limits in ({BACKEND: 2}, other):
        harness.start(settings=attrs.evolve(SETTINGS, limits=limits), wait=True)
    harness.add_running_operations(6)
    harness.wait_until_running(2)
    wait_until(lambda: sum(job["attempts"] for job in harness.jobs()) >= 6)
    assert len(harness.cloud.jobs()) == 2
    harness.finish_work()
    harness.wait_until_idle()
    harness.check_consistency()


def test_slots_of_a_dead_worker_are_free_again(harness: WorkerHarness) -> None:
    settings = attrs.evolve(MORTAL_SETTINGS, limits={BACKEND: 2})
    harness.add_running_operations(4)
    first = harness.start(settings=settings)
    harness.wait_until_running(2)
    first.kill()
    first.join()
    harness.finish_work()
    harness.start(settings=settings)
    harness.wait_until_idle()
    harness.check_consistency()


def test_operation_that_is_bound_to_a_host_waits_in_the_queue_of_that_host(
    harness: WorkerHarness,
) -> None:
    operation = harness.add_operation(queued=False)
    bound = attrs.evolve(operation, place=Place("some place", "elsewhere"))
    harness.store.write([bound])
    with harness.database.connect() as connection:
        # A job that was queued before the operation was bound.
        DetachedQueue(connection).put(operation)
    harness.start()
    wait_until(lambda: [job["queue_name"] for job in harness.jobs()] == ["cloud@elsewhere"])
    assert harness.store.operation(operation.id).owner == ""


def test_queueing_twice_is_queueing_once(harness: WorkerHarness) -> None:
    operation = harness.add_operation()
    with harness.database.connect() as connection:
        DetachedQueue(connection).put(operation)
    assert len(harness.jobs()) == 1


def test_job_that_its_worker_has_lost_is_put_back(harness: WorkerHarness) -> None:
    worker = harness.start(wait=True)
    (registered,) = harness.query("SELECT worker_id FROM karbor_backup_workers")
    operation = harness.add_operation(queued=False)
    # As if the reply had been lost with which the worker fetched the job.
    with harness.database.connect() as connection, connection.transaction():
        DetachedQueue(connection).put(operation)
        connection.execute(
            "UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s "
            "WHERE queueing_lock = %s",
            [registered["worker_id"], operation.id],
        )
    harness.wait_until_idle()
    harness.check_consistency()
    assert worker.is_alive()


def test_tables_are_created_once_by_many_at_once(url: str, harness: WorkerHarness) -> None:
    assert url == harness.url
    with harness.database.connect() as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    threads = [
        threading.Thread(target=harness.database.check_or_create_tables, kwargs={"create": True})
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert harness.query("SELECT migration FROM karbor_backup_queue") == [
        {"migration": list_migrations()[-1]}
    ]


@pytest.fixture
def database(harness: WorkerHarness) -> QueueDatabase:
    return harness.database


def set_migration(database: QueueDatabase, name: str) -> None:
    with database.connect() as connection:
        connection.execute("UPDATE karbor_backup_queue SET migration = %s", [name])


def test_older_tables_are_refused_and_upgraded(url: str) -> None:
    parameters = postgresql_parameters(url)
    assert parameters is not None
    database, names = QueueDatabase(parameters), list_migrations()
    # The first release that has workers, and so heartbeats.
    old = [name for name in names if name < "03.02"]
    with database.connect() as connection:
        for name in old:
            connection.execute(read_migration_text(name))
        create_own_tables(connection, old[-1])
    with pytest.raises(QueueError, match="queue --upgrade"):
        database.check_or_create_tables(create=True)
    assert database.upgrade() == names[len(old) :]
    assert database.upgrade() == []
    database.check_or_create_tables(create=False)
    with contextlib.closing(SQLStore(url)) as store, serve_cloud(FakeCloud()) as address:
        harness = WorkerHarness(url, store, FakeCloud(), ManualClock(), address)
        harness.add_operation()
        assert [job["queue_name"] for job in harness.jobs()] == [BACKEND]


def test_newer_tables_are_refused(database: QueueDatabase) -> None:
    set_migration(database, "99.00.00_01_pre_future.sql")
    for refused in (lambda: database.check_or_create_tables(create=True), database.upgrade):
        with pytest.raises(QueueError, match="newer"):
            refused()


def test_queue_of_another_program_is_left_alone(database: QueueDatabase) -> None:
    with database.connect() as connection:
        connection.execute("DROP TABLE karbor_backup_queue")
    with pytest.raises(QueueError, match="another program"):
        database.check_or_create_tables(create=True)
    with pytest.raises(QueueNotFound):
        database.upgrade()


def test_failures_of_the_database_are_told_in_one_line(database: QueueDatabase) -> None:
    with pytest.raises(QueueError) as told, database.connect():
        raise psycopg.OperationalError("first\nsecond")
    assert "\n" not in str(told.value)
