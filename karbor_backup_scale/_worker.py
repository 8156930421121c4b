"""The process of a worker: it takes jobs, and hands everything back when it is stopped."""

import asyncio
import concurrent.futures
import logging
import signal
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import attrs
from procrastinate import App
from procrastinate.exceptions import ConnectorException
from procrastinate.worker import Worker

from karbor_backup_core import Backend, Policy, Runner, Store, StoreError
from karbor_backup_scale import _periodic
from karbor_backup_scale._connector import PatientConnector
from karbor_backup_scale._driving import OperationDriver, RetryAlways
from karbor_backup_scale._ghosts import GhostFinder
from karbor_backup_scale._job_manager import WorkerJobManager
from karbor_backup_scale._jobs import enqueue
from karbor_backup_scale._names import DRIVE_TASK, PERIODIC_QUEUE, first_line, queue_name
from karbor_backup_scale._slots import Slots
from karbor_backup_scale._sweep import Sweep
from karbor_backup_scale.schedules.operations import ScheduledOperation
from karbor_backup_scale.schedules.starter import ScheduleStarter
from karbor_backup_scale.settings import WorkerSettings

_log: Final = logging.getLogger("karbor_backup.worker")

STOP_TIMEOUT: Final = 20.0
"""Seconds for which a worker that is stopped waits for the calls that are under way."""

_QUEUE_STOP_TIMEOUT: Final = 5.0
"""Seconds for which it then waits for the queue."""

_FETCH_SECONDS: Final = 2.0
"""Seconds between two looks for jobs that were put back, of which the engine notifies nobody."""

_PAUSE_SECONDS: Final = 2.0
"""Seconds for which a queue is left alone whose backend has no slot."""

_RESTART_SECONDS: Final = 1.0

_REGISTERED: Final = "SELECT 1 FROM procrastinate_workers WHERE id = %(worker)s"

_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@attrs.frozen
class WorkerEvents:
    """What the one who runs a worker is told.

    Attributes:
        on_start: is called once the worker is registered, with its id.
        on_stop: is called when the worker is asked to stop, with the number of its jobs.
    """

    on_start: Callable[[int], None] = lambda _: None
    on_stop: Callable[[int], None] = lambda _: None


class WorkerProcess:
    """Drives operations of the queue until a signal comes, or ``stop`` is called.

    Args:
        connector: of the queue; its tables exist.
        store: has the operations; the worker does not close it.
        backends: those whose operations are driven, by their configured names.
        policy: durations and limits of operations.
        settings: those of the workers.
        events: tell how it goes.
        scheduled: what is done by schedules, by these backends.
    """

    def __init__(
        self,
        connector: PatientConnector,
        store: Store,
        backends: Mapping[str, Backend],
        policy: Policy,
        settings: WorkerSettings,
        events: WorkerEvents | None = None,
        scheduled: Sequence[ScheduledOperation] = (),
    ) -> None:
        self._settings = settings
        self._events = events or WorkerEvents()
        self._queues = list_queues(backends)
        self._paused: set[str] = set()
        self._stopping = asyncio.Event()
        self._workers: list[Worker] = []
        self._worker_id: int | None = None
        self._connector = connector
        self._runner = Runner(store, backends, policy=policy)
        slots = Slots(self._connector, settings.limits)
        self._driver = OperationDriver(self._runner, slots, self._pause_queue)
        self._app = self._create_app()
        self._periodic_app = App(connector=self._connector)
        sweep = Sweep(self._app, self._runner.store, policy.lease, settings.dead_after)
        _periodic.register_periodic_work(self._periodic_app, sweep, settings)
        self._ghosts = GhostFinder(self._app, lambda: self._driver.jobs)
        self._starter = ScheduleStarter(self._runner.store, scheduled)

    async def run(self) -> bool:
        """Drive operations until the worker is stopped; hand back those that are not finished.

        Returns:
            False if calls are still under way, so that the process has to be ended with them.
        """
        self._handle_signals()
        async with self._app.open_async():
            loops = [
                asyncio.create_task(loop)
                for loop in (
                    self._keep_running(self._create_worker),
                    self._keep_running(self._create_periodic_worker),
                    self._check_jobs(),
                    self._begin_scheduled_operations(),
                )
            ]
            await self._stopping.wait()
            closed = await self._hand_back()
            await asyncio.wait(loops, timeout=_QUEUE_STOP_TIMEOUT)
            self._connector.patient = False
            for loop in loops:
                loop.cancel()
            await asyncio.wait(loops)
        return closed

    def stop(self) -> None:
        """Stop soon; to be called in the event loop."""
        self._stopping.set()

    def _create_app(self) -> App:
        app = App(connector=self._connector)
        app.job_manager = WorkerJobManager(
            self._connector, self._queues, self._settings, self._on_registered
        )
        app.task(name=DRIVE_TASK, pass_context=True, retry=RetryAlways())(self._driver.drive)
        return app

    def _on_registered(self, worker_id: int) -> None:
        self._worker_id = worker_id
        self._events.on_start(worker_id)

    def _handle_signals(self) -> None:
        loop = asyncio.get_running_loop()

        def on_signal() -> None:
            # The next signal ends the process at once, which harms nothing in the store.
            for signum in _SIGNALS:
                loop.remove_signal_handler(signum)
            self.stop()

        for signum in _SIGNALS:
            if signal.getsignal(signum) is not signal.SIG_IGN:
                loop.add_signal_handler(signum, on_signal)

    def _create_worker(self) -> Worker:
        return self._create_engine_worker(self._app, self._queues, self._settings.hold)

    def _create_periodic_worker(self) -> Worker:
        return self._create_engine_worker(
            self._periodic_app, [PERIODIC_QUEUE], _periodic.CONCURRENCY
        )

    def _create_engine_worker(self, app: App, queues: list[str], concurrency: int) -> Worker:
        return Worker(
            app,
            queues=queues,
            concurrency=concurrency,
            fetch_job_polling_interval=_FETCH_SECONDS,
            # An aborted job is put back: whoever takes it joins in, or finds who drives it.
            shutdown_graceful_timeout=0,
            delete_jobs="always",
            install_signal_handlers=False,
            update_heartbeat_interval=self._settings.heartbeat.total_seconds(),
            stalled_worker_timeout=self._settings.dead_after.total_seconds(),
        )

    async def _keep_running(self, create: Callable[[], Worker]) -> None:
        """Run a worker of the engine, and another one when it has ended."""
        while not self._stopping.is_set():
            worker = create()
            self._workers.append(worker)
            try:
                await worker.run()
            except Exception as error:  # noqa: BLE001 - whatever it was, jobs must be taken again
                _log.warning("the worker starts anew: %s", first_line(error.__cause__ or error))
                _log.debug("this has ended the worker", exc_info=error)
            finally:
                self._workers.remove(worker)
            await _wait(self._stopping, _RESTART_SECONDS)

    async def _check_jobs(self) -> None:
        """Look from time to time whether the queue still knows the workers and jobs of here."""
        while not await _wait(self._stopping, self._settings.sweep):
            for worker in list(self._workers):
                await self._check_registration(worker)
            if self._worker_id is not None:
                await self._ghosts.look(self._worker_id)

    async def _begin_scheduled_operations(self) -> None:
        while not self._stopping.is_set():
            try:
                for operation in await asyncio.to_thread(self._starter.start_due):
                    await enqueue(self._app, operation)
            except (StoreError, ConnectorException) as error:
                # What was stored and not queued, the sweep queues.
                _log.warning("the schedules wait: %s", error.__cause__ or error)
            await _wait(self._stopping, self._settings.sweep)

    async def _check_registration(self, worker: Worker) -> None:
        """Have a worker start anew that the others took for dead, and removed from the queue."""
        if worker.worker_id is None:
            return
        rows = await self._connector.execute_query_all_async(_REGISTERED, worker=worker.worker_id)
        if not rows:
            _log.warning("the worker starts anew: it was silent for too long")
            worker.stop()

    def _pause_queue(self, queue: str) -> None:
        """Take no job of a queue for a while, and leave it to the others."""
        self._paused.add(queue)
        self._set_queues()
        asyncio.get_running_loop().call_later(_PAUSE_SECONDS, self._unpause_queue, queue)

    def _unpause_queue(self, queue: str) -> None:
        self._paused.discard(queue)
        self._set_queues()

    def _set_queues(self) -> None:
        """Have the engine fetch jobs of those queues only that are not paused."""
        for worker in self._workers:
            if self._stopping.is_set():
                worker.queues = []
            elif worker.app is self._app:
                worker.queues = [each for each in self._queues if each not in self._paused]

    async def _hand_back(self) -> bool:
        """Close the runner, which frees all operations, then put all jobs back.

        In this order whoever takes a job finds its operation free.
        """
        self._events.on_stop(len(self._driver.jobs))
        self._set_queues()
        thread = concurrent.futures.ThreadPoolExecutor(1, "karbor-backup-close")
        closing = asyncio.get_running_loop().run_in_executor(thread, self._runner.close)
        await asyncio.wait([closing], timeout=STOP_TIMEOUT)
        self._driver.close()
        for worker in self._workers:
            worker.stop()
        return closing.done()


def list_queues(backends: Mapping[str, Backend]) -> list[str]:
    """Return the queues that a worker of this host serves.

    Raises:
        KarborBackupError: a backend cannot tell where its work goes on.
    """
    queues = []
    for name, backend in backends.items():
        place = backend.place()
        queues += (
            [queue_name(name)]
            if place is None
            else [queue_name(name), queue_name(name, place.host)]
        )
    return queues


async def _wait(event: asyncio.Event, seconds: float) -> bool:
    """Wait for an event at most so long; return whether it has come."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True
