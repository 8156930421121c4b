"""What runs in the processes of workers that tests start, and dies there where it is told to."""

import asyncio
import itertools
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, ParamSpec, TypeVar

import attrs

from karbor_backup_core import Backend, KarborBackupError, Operation, Policy
from karbor_backup_core.stores.sql import SQLStore
from karbor_backup_fake import FakeBackend
from karbor_backup_scale._connection_parameters import postgresql_parameters
from karbor_backup_scale._connector import PatientConnector
from karbor_backup_scale._database import QueueDatabase
from karbor_backup_scale._worker import WorkerProcess
from karbor_backup_scale.settings import WorkerSettings
from tests.core.execution.killed_runner import connect_to_cloud

P = ParamSpec("P")
T = TypeVar("T")

BACKEND: Final = "cloud"
LEASE: Final = timedelta(seconds=2)
_QUICK: Final = timedelta(milliseconds=1)
POLICY: Final = Policy(
    poll_first=_QUICK,
    poll_limit=timedelta(milliseconds=50),
    retry_first=_QUICK,
    unknown_gap=_QUICK,
    lease=LEASE,
)
SETTINGS: Final = WorkerSettings(
    heartbeat=timedelta(seconds=0.3), dead_after=timedelta(minutes=10), sweep=1
)
"""By these no worker of a slow machine counts as dead."""

MORTAL_SETTINGS: Final = attrs.evolve(SETTINGS, dead_after=timedelta(seconds=1.5))
"""For tests in which a worker dies, or is taken for dead."""

_CHANGES: Final = ("finish_job", "retry_job", "defer_jobs", "defer_periodic_job")
_FETCH: Final = "fetch_job"


@attrs.frozen
class WorkerOrder:
    """What a worker is to do.

    Attributes:
        url: of the store and of the queue.
        cloud: the address of the cloud.
        settings: those of the worker.
        fatal_step: the number of the step at which it kills itself; 0 for none. Each write of the
            store, and each change of a job of an operation, has a step before it and one after it.
    """

    url: str
    cloud: str
    settings: WorkerSettings = SETTINGS
    fatal_step: int = 0


class _Steps:
    def __init__(self, fatal_step: int) -> None:
        self._fatal_step = fatal_step
        self._numbers = itertools.count(1)

    def step(self) -> None:
        if next(self._numbers) == self._fatal_step:
            os.kill(os.getpid(), signal.SIGKILL)


class _FatalStore(SQLStore):
    """A store that kills its process before or after one of its writes, renewals excepted."""

    def __init__(self, url: str, steps: _Steps) -> None:
        super().__init__(url)
        self._steps = steps

    def write(self, operations: Sequence[Operation]) -> Mapping[str, Operation | KarborBackupError]:
        return self._between_steps(super().write, operations)

    def take_over(self, operation: Operation, seen: Operation) -> Operation:
        return self._between_steps(super().take_over, operation, seen)

    def _between_steps(self, write: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        self._steps.step()
        stored = write(*args, **kwargs)
        self._steps.step()
        return stored


class _FatalConnector(PatientConnector):
    """A connection that kills its process before or after a change of an operation's job."""

    def __init__(self, parameters: dict[str, Any], steps: _Steps) -> None:
        super().__init__(parameters)
        self.steps = steps

    async def execute_query_async(self, query: Any, **arguments: Any) -> None:
        if not any(name in query for name in _CHANGES):
            return await super().execute_query_async(query, **arguments)
        self.steps.step()
        await super().execute_query_async(query, **arguments)
        self.steps.step()
        return None

    async def execute_query_one_async(self, query: Any, **arguments: Any) -> dict[str, Any]:
        row = await super().execute_query_one_async(query, **arguments)
        if _FETCH in query and (row["args"] or {}).get("operation_id"):
            self.steps.step()
        return row


def run_worker(order: WorkerOrder) -> None:
    """Run a worker until a signal stops it, or until its fatal step."""
    steps = _Steps(order.fatal_step)
    parameters = postgresql_parameters(order.url)
    assert parameters is not None
    database = QueueDatabase(parameters)
    database.check_or_create_tables(create=True)
    cloud = connect_to_cloud(order.cloud)
    backend = Backend.from_plugin(BACKEND, FakeBackend({}, cloud=cloud))
    store = _FatalStore(order.url, steps)

    async def run() -> bool:
        connector = _FatalConnector(parameters, steps)
        process = WorkerProcess(connector, store, {BACKEND: backend}, POLICY, order.settings)
        return await process.run()

    closed = asyncio.run(run())
    store.close()
    if not closed:
        os._exit(1)
