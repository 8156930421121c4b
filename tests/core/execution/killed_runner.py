"""A process whose runner dies at one of its store writes, and the cloud that outlives it."""

import contextlib
import itertools
import multiprocessing.managers
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from multiprocessing.connection import Connection
from typing import Any, ParamSpec, TypeVar

from karbor_backup_core import (
    Backend,
    KarborBackupError,
    Operation,
    OperationFuture,
    Policy,
    Resource,
    Runner,
)
from karbor_backup_core.stores.sql import SQLStore
from karbor_backup_fake import FakeBackend, FakeCloud
from karbor_backup_fake.faults import REQUESTS

P = ParamSpec("P")
T = TypeVar("T")

QUICK = timedelta(milliseconds=1)
POLICY = Policy(poll_first=QUICK, poll_limit=QUICK * 20, retry_first=QUICK, unknown_gap=QUICK)
VOLUMES = [Resource("OS::Cinder::Volume", f"v{number}") for number in range(2)]
OPTIONS = {"backup_name": "nightly"}
CLOUD_NAME = "here"
_KEY = b"one test"


class CloudServer(multiprocessing.managers.BaseManager):
    """Serves a fake cloud to other processes."""


class CloudProxy(  # type: ignore[misc] - the class is made at run time
    multiprocessing.managers.MakeProxyType("CloudProxy", ("authenticate", *REQUESTS))
):
    """The fake cloud as another process sees it."""

    name = CLOUD_NAME
    service_seconds = 0.0
    work_limit = None


@contextlib.contextmanager
def serve_cloud(cloud: FakeCloud) -> Iterator[str]:
    """Serve a cloud from a thread; yield the address."""
    CloudServer.register("cloud", callable=lambda: cloud, proxytype=CloudProxy)
    server = CloudServer(authkey=_KEY).get_server()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.address


def connect_to_cloud(address: str) -> Any:
    """Return the proxy of a cloud that another process serves."""
    CloudServer.register("cloud", proxytype=CloudProxy)
    client = CloudServer(address, authkey=_KEY)
    client.connect()
    return client.cloud()


class FatalStore(SQLStore):
    """A store that kills its process before or after one of its writes.

    Args:
        url: of the database.
        fatal_step: the number of the step; each write has one before it and one after it.
    """

    def __init__(self, url: str, fatal_step: int) -> None:
        super().__init__(url)
        self._fatal_step = fatal_step
        self._steps = itertools.count(1)

    def add(self, operation: Operation) -> Operation:
        return self._run_between_steps(super().add, operation)

    def write(self, operations: Sequence[Operation]) -> Mapping[str, Operation | KarborBackupError]:
        return self._run_between_steps(super().write, operations)

    def take_over(self, operation: Operation, seen: Operation) -> Operation:
        return self._run_between_steps(super().take_over, operation, seen)

    def renew_lease(self, owner: str, lease_until: datetime) -> None:
        self._run_between_steps(super().renew_lease, owner, lease_until)

    def delete_lease(self, owner: str) -> None:
        self._run_between_steps(super().delete_lease, owner)

    def _run_between_steps(self, write: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        self._step()
        stored = write(*args, **kwargs)
        self._step()
        return stored

    def _step(self) -> None:
        if next(self._steps) == self._fatal_step:
            os.kill(os.getpid(), signal.SIGKILL)


def create_runner(store: SQLStore, cloud: Any) -> Runner:
    """Create a runner on a cloud, or on a proxy of one."""
    return Runner(
        store, [Backend.from_plugin("cloud", FakeBackend({}, cloud=cloud))], policy=POLICY
    )


def resume_unowned(runner: Runner, store: SQLStore) -> list[OperationFuture]:
    """Resume what no process drives, as the command does."""
    now = store.now()
    assert now is not None
    return [runner.resume(each.id) for each in store.unowned(now, POLICY.lease)]


def run_and_crash(url: str, address: str, fatal_step: int, submitted: Connection) -> None:
    """Resume what is left, protect each volume, and die at a step of the store's writes.

    Args:
        url: of the store.
        address: of the cloud.
        fatal_step: see ``FatalStore``.
        submitted: gets the id of each operation once it is submitted.
    """
    store = FatalStore(url, fatal_step)
    with create_runner(store, connect_to_cloud(address)) as runner:
        futures = resume_unowned(runner, store)
        for volume in VOLUMES:
            futures.append(runner.protect("cloud", volume, OPTIONS))
            submitted.send(futures[-1].id)
        for future in futures:
            future.result()
