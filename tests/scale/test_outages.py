"""The database restarts, crashes and deadlocks while workers work; they go on by themselves."""

import contextlib
import signal
import threading
from collections.abc import Iterator, Sequence
from typing import Final

import psycopg
import pytest

from tests.core.execution.killed_runner import serve_cloud
from tests.scale.harness import WorkerHarness, worker_harness
from tests.support.postgresql import PostgreSql, postgresql

_ROUNDS: Final = 50
_LOCKS: Final = (
    "SELECT 1 FROM operations ORDER BY id LIMIT 5 FOR UPDATE",
    "SELECT 1 FROM procrastinate_jobs ORDER BY id LIMIT 5 FOR UPDATE",
)


@pytest.fixture
def own_server() -> Iterator[PostgreSql]:
    """Return a PostgreSQL that the test may stop."""
    with postgresql() as running:
        yield running


@pytest.fixture
def harness(own_server: PostgreSql) -> Iterator[WorkerHarness]:
    with worker_harness(own_server.url, serve_cloud) as created:
        yield created


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGQUIT], ids=["restart", "crash"])
def test_workers_go_on_after_the_database_was_away(
    harness: WorkerHarness, own_server: PostgreSql, signum: signal.Signals
) -> None:
    harness.add_running_operations(4)
    workers = [harness.start(wait=True) for _ in range(2)]
    harness.wait_until_running(4)
    own_server.stop(signum)
    harness.finish_work()
    own_server.start()
    harness.add_operation()
    harness.wait_until_idle()
    harness.check_consistency()
    for worker in workers:
        harness.stop(worker)
        assert worker.exitcode == 0


def test_database_that_restarts_again_and_again_costs_time_only(
    harness: WorkerHarness, own_server: PostgreSql
) -> None:
    for _ in range(2):
        harness.start(wait=True)
    for _ in range(4):
        harness.add_operation()
        harness.add_operation(queued=False)
        own_server.stop(signal.SIGQUIT)
        own_server.start()
    harness.wait_until_idle()
    harness.check_consistency()


def test_deadlocks_with_another_client_cost_time_only(harness: WorkerHarness) -> None:
    with harness.database.connect() as connection:
        connection.execute("ALTER SYSTEM SET deadlock_timeout = '10ms'")
        connection.execute("SELECT pg_reload_conf()")
    for _ in range(20):
        harness.add_operation()
    rivals = [
        threading.Thread(target=lock_rows, args=(harness, order))
        for order in (_LOCKS, _LOCKS[::-1])
    ]
    for rival in rivals:
        rival.start()
    try:
        for _ in range(2):
            harness.start()
        harness.wait_until_idle()
    finally:
        for rival in rivals:
            rival.join()
    harness.check_consistency()
    deadlocks = harness.query("SELECT deadlocks FROM pg_stat_database WHERE datname = 'postgres'")
    assert deadlocks[0]["deadlocks"] > 0


def lock_rows(harness: WorkerHarness, order: Sequence[str]) -> None:
    """Lock rows again and again, in an order that another client does not have."""
    with psycopg.connect(**harness.database.parameters) as connection:
        for _ in range(_ROUNDS):
            with contextlib.suppress(psycopg.errors.DeadlockDetected):
                for statement in order:
                    connection.execute(statement.encode())
            connection.rollback()
