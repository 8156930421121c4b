"""A cloud, a store and a queue on PostgreSQL, and the processes of workers that use them."""

import contextlib
import multiprocessing
from collections.abc import Callable, Iterator
from datetime import timedelta
from multiprocessing.context import ForkServerProcess
from typing import Any, Final

import tenacity

from karbor_backup_core import (
    Backend,
    ManualClock,
    Operation,
    Resource,
    plan_protect,
    system_clock,
)
from karbor_backup_core.stores.sql import SQLStore
from karbor_backup_fake import FakeBackend, FakeCloud
from karbor_backup_scale._connection_parameters import postgresql_parameters
from karbor_backup_scale._database import QueueDatabase
from karbor_backup_scale.detach import DetachedQueue
from karbor_backup_scale.settings import WorkerSettings
from tests.core.execution.killed_runner import CLOUD_NAME
from tests.scale import worker_main
from tests.scale.worker_main import BACKEND, SETTINGS, WorkerOrder

LONG: Final = 100.0
"""Seconds that only a hang reaches."""

_HOUR: Final = timedelta(hours=1)
_OPTIONS: Final = {"backup_name": "nightly"}


class WorkerHarness:
    """Starts workers, gives them operations, and checks what they have done.

    Args:
        url: of the store and of the queue.
        store: this process's own connection to the store.
        cloud: what the workers' backend talks to.
        clock: the cloud's.
        address: where the cloud is served.

    Attributes:
        database: of the queue.
    """

    def __init__(
        self, url: str, store: SQLStore, cloud: FakeCloud, clock: ManualClock, address: str
    ) -> None:
        self.url = url
        self.store = store
        self.cloud = cloud
        self._clock = clock
        parameters = postgresql_parameters(url)
        assert parameters is not None
        self.database = QueueDatabase(parameters)
        self.database.check_or_create_tables(create=True)
        self.backend = Backend.from_plugin(BACKEND, FakeBackend({}, cloud=cloud))
        self._address = address
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([worker_main.__name__])
        self._workers: list[ForkServerProcess] = []
        self._volumes = 0

    def start(
        self, *, fatal_step: int = 0, settings: Any = SETTINGS, wait: bool = False
    ) -> ForkServerProcess:
        """Start a worker.

        Args:
            fatal_step: see ``WorkerOrder``.
            settings: those of the worker.
            wait: until it is registered.
        """
        order = WorkerOrder(self.url, self._address, settings, fatal_step)
        worker = self._context.Process(target=worker_main.run_worker, args=(order,))
        worker.start()
        self._workers.append(worker)
        if wait:
            wait_until(lambda: worker.pid in self.worker_pids())
        return worker

    def stop(self, worker: ForkServerProcess) -> None:
        """Stop a worker that is registered, or has ended, by SIGTERM, and wait for its end."""
        wait_until(lambda: not worker.is_alive() or worker.pid in self.worker_pids())
        worker.terminate()
        worker.join(LONG)

    def stop_all(self) -> None:
        """Kill what still runs."""
        for worker in self._workers:
            worker.kill()
            worker.join()

    def add_operation(self, *, queued: bool = True) -> Operation:
        """Store an operation, and queue it."""
        volume = Resource("OS::Cinder::Volume", f"v{self._volumes}")
        self._volumes += 1
        self.cloud.add_resource(volume, b"x")
        stored = self.store.add(plan_protect(self.backend, volume, _OPTIONS))
        if queued:
            with self.database.connect() as connection:
                DetachedQueue(connection).put(stored)
        return stored

    def add_running_operations(self, number: int) -> None:
        """Queue operations whose work in the cloud goes on until ``finish_work`` is called."""
        self.cloud.service_seconds = _HOUR.total_seconds()
        for _ in range(number):
            self.add_operation()

    def wait_until_running(self, number: int) -> None:
        """Wait until so many operations are at work in the cloud."""
        wait_until(lambda: len(self.cloud.jobs()) == number)

    def finish_work(self) -> None:
        """Let all work in the cloud end now, and further work at once."""
        self.cloud.service_seconds = 0.0
        self._clock.advance(_HOUR.total_seconds())

    def owners(self) -> set[str]:
        """Return the owners of all operations."""
        return {each.owner for each in self.store.operations()}

    def query(self, text: str, *parameters: object) -> list[dict[str, Any]]:
        """Return the rows of a query of the queue's database."""
        with self.database.connect() as connection:
            return connection.execute(text, parameters).fetchall()

    def worker_pids(self) -> set[int]:
        """Return the process ids of the registered workers."""
        return {row["pid"] for row in self.query("SELECT pid FROM karbor_backup_workers")}

    def wait_until_taken_for_dead(self, pid: int, settings: WorkerSettings) -> None:
        """Wait until a worker has been silent for so long that others take it for dead."""
        alive = (
            "SELECT 1 FROM karbor_backup_workers w JOIN procrastinate_workers p "
            "ON p.id = w.worker_id WHERE w.pid = %s AND p.last_heartbeat >= now() - %s"
        )
        wait_until(lambda: not self.query(alive, pid, settings.dead_after))

    def jobs(self) -> list[dict[str, Any]]:
        """Return the jobs that drive operations."""
        return self.query(
            "SELECT * FROM procrastinate_jobs WHERE task_name = 'karbor_backup.drive' ORDER BY id"
        )

    def all_released(self) -> bool:
        """Return whether every operation has come to its end."""
        return not self.store.operations(unreleased=True)

    def wait_until_idle(self) -> None:
        """Wait until every operation is released and no job is left; some worker must live."""

        def is_idle() -> bool:
            idle = self.all_released() and not self.jobs()
            assert idle or any(worker.is_alive() for worker in self._workers), "no worker lives"
            return idle

        wait_until(is_idle)

    def wait_until_idle_or_ended(self, worker: ForkServerProcess) -> None:
        """Wait until nothing is left to do, or a worker has ended."""
        wait_until(lambda: not worker.is_alive() or (self.all_released() and not self.jobs()))

    def check_consistency(self) -> None:
        """Check that nothing is doubled, lost or left."""
        operations = self.store.operations()
        assert len(operations) == self._volumes
        assert all(each.succeeded and not each.owner for each in operations)
        assert self.cloud.jobs() == []
        assert self.cloud.orphans == []
        assert set(self.cloud.started) == {(each.id, 1) for each in operations}
        assert set(self.cloud.started.values()) <= {1}
        backups = {each.id for each in self.store.backups()}
        assert backups == {each.id for each in operations}
        assert sorted(each.operation for each in self.cloud.copies()) == sorted(backups)
        # A sweep that looked before the last operation was taken up queues it once more.
        wait_until(lambda: not self.jobs())


@contextlib.contextmanager
def worker_harness(url: str, serve: Callable[[FakeCloud], Any]) -> Iterator[WorkerHarness]:
    """Yield a harness; its workers are killed at the end."""
    clock = ManualClock(system_clock())
    cloud = FakeCloud(CLOUD_NAME, clock=clock)
    with contextlib.closing(SQLStore(url)) as store, serve(cloud) as address:
        harness = WorkerHarness(url, store, cloud, clock, address)
        try:
            yield harness
        finally:
            harness.stop_all()


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait until something is so.

    Raises:
        tenacity.RetryError: it is not so after a time that only a hang takes.
    """
    tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda result: not result),
        stop=tenacity.stop_after_delay(LONG),
        wait=tenacity.wait_fixed(0.05),
    )(condition)
