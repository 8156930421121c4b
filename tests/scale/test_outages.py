"""The database restarts, crashes and deadlocks while workers work; they go on by themselves."""

import concurrent.futures
import signal
import threading
from collections.abc import Iterator, Sequence
from typing import Final

import psycopg
import pytest

from tests.core.execution.killed_runner import serve_cloud
from tests.scale.harness import LONG, WorkerHarness, worker_harness
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
    rivals = Rivals(harness)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        locking = [pool.submit(rivals.lock_rows, order) for order in (_LOCKS, _LOCKS[::-1])]
        rivals.first_lock.wait()
        for _ in range(2):
            harness.start()
        harness.wait_until_idle()
        for each in locking:
            each.result()
    harness.check_consistency()
    assert rivals.deadlocks


class Rivals:
    """Two clients that lock the same rows in different orders, and a test that waits for both.

    Attributes:
        first_lock: all three meet there, when each client has its first lock.
        deadlocks: those that ended a transaction of a client.
    """

    def __init__(self, harness: WorkerHarness) -> None:
        self._harness = harness
        self.first_lock = threading.Barrier(3, timeout=LONG)
        self.deadlocks: list[psycopg.errors.DeadlockDetected] = []

    def lock_rows(self, order: Sequence[str]) -> None:
        """Lock rows again and again, as one of the clients."""
        first, second = (statement.encode() for statement in order)
        with psycopg.connect(**self._harness.database.parameters) as connection:
            connection.execute(first)
            self.first_lock.wait()
            for _ in range(_ROUNDS):
                try:
                    connection.execute(second)
                    connection.rollback()
                    connection.execute(first)
                except psycopg.errors.DeadlockDetected as deadlock:
                    self.deadlocks.append(deadlock)
                    connection.rollback()
