"""Writes that begin or resume an operation take effect, but their replies are lost."""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from karbor_backup_core import (
    Backend,
    Conflict,
    KarborBackupError,
    ManualClock,
    MemoryStore,
    Operation,
    Policy,
    Resource,
    Runner,
    StoreError,
)
from karbor_backup_fake import FakeBackend, FakeCloud

VOLUME = Resource("OS::Cinder::Volume", "volume-1", "data")
OPTIONS = {"backup_name": "nightly"}
QUICK = timedelta(milliseconds=1)
POLICY = Policy(poll_first=QUICK, poll_limit=QUICK * 20, retry_first=QUICK, unknown_gap=QUICK)
LONG = 300.0
SERVICE_SECONDS = 60


class ReplyLosingStore(MemoryStore):
    """A store that makes each write, but loses the reply of every second one.

    Attributes:
        before_take_over: is called before each takeover.
        lossy: whether replies are lost.
    """

    def __init__(self) -> None:
        super().__init__()
        self.before_take_over: Callable[[], object] = bool
        self.lossy = False
        self._writes = 0

    def add(self, operation: Operation) -> Operation:
        added = super().add(operation)
        self._lose_reply()
        return added

    def write(self, operations: Sequence[Operation]) -> Mapping[str, Operation | KarborBackupError]:
        stored = super().write(operations)
        self._lose_reply()
        return stored

    def take_over(self, operation: Operation, seen: Operation) -> Operation:
        self.before_take_over()
        taken = super().take_over(operation, seen)
        self._lose_reply()
        return taken

    def _lose_reply(self) -> None:
        self._writes += 1
        if self.lossy and self._writes % 2:
            raise StoreError("the connection broke")


@pytest.fixture
def cloud() -> FakeCloud:
    cloud = FakeCloud("here")
    cloud.add_resource(VOLUME, b"x")
    return cloud


@pytest.fixture
def store() -> ReplyLosingStore:
    return ReplyLosingStore()


def create_runner(cloud: FakeCloud, store: ReplyLosingStore) -> Runner:
    return Runner(
        store, [Backend.from_plugin("cloud", FakeBackend({}, cloud=cloud))], policy=POLICY
    )


def leave_operation(cloud: FakeCloud, store: ReplyLosingStore) -> str:
    """Begin an operation, and close its runner before the operation is finished."""
    cloud.clock, cloud.service_seconds = ManualClock(), SERVICE_SECONDS
    with create_runner(cloud, store) as runner:
        begun = runner.protect("cloud", VOLUME, OPTIONS)
    assert store.operation(begun.id).owner == ""
    cloud.clock.advance(SERVICE_SECONDS)
    cloud.service_seconds = 0
    return begun.id


def test_operation_is_submitted_once_although_replies_are_lost(
    cloud: FakeCloud, store: ReplyLosingStore
) -> None:
    store.lossy = True
    with create_runner(cloud, store) as runner:
        begun = runner.protect("cloud", VOLUME, OPTIONS)
        assert runner.wait(begun.id, LONG).succeeded
    assert cloud.started == {(begun.id, 1): 1}


def test_operation_is_resumed_although_the_reply_of_its_takeover_is_lost(
    cloud: FakeCloud, store: ReplyLosingStore
) -> None:
    operation_id = leave_operation(cloud, store)
    before = store.operation(operation_id)
    store.lossy = True
    with create_runner(cloud, store) as runner:
        assert runner.resume(operation_id).result(LONG).succeeded
    assert store.operation(operation_id).fence == before.fence + 1
    assert cloud.started == {(operation_id, 1): 1}


def test_operation_that_another_process_took_meanwhile_is_not_resumed(
    cloud: FakeCloud, store: ReplyLosingStore
) -> None:
    operation_id = leave_operation(cloud, store)
    with create_runner(cloud, store) as ours, create_runner(cloud, store) as theirs:

        def take() -> None:
            store.before_take_over = bool
            theirs.resume(operation_id)

        store.before_take_over = take
        with pytest.raises(Conflict, match="written"):
            ours.resume(operation_id)
        assert theirs.wait(operation_id, LONG).succeeded


def test_operation_is_not_resumed_by_two_threads_at_once(
    cloud: FakeCloud, store: ReplyLosingStore
) -> None:
    operation_id = leave_operation(cloud, store)
    resuming, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        resuming.set()
        assert go_on.wait(LONG)

    store.before_take_over = hold
    with create_runner(cloud, store) as runner, ThreadPoolExecutor(1) as pool:
        first = pool.submit(runner.resume, operation_id)
        try:
            assert resuming.wait(LONG)
            with pytest.raises(Conflict, match="another thread"):
                runner.resume(operation_id)
        finally:
            go_on.set()
        assert first.result(LONG).result(LONG).succeeded
        assert runner.resume(operation_id).result(LONG).succeeded
