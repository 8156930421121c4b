"""A backend that declares a limit of work at once is called for no more, in fair order."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import attrs
import pytest

from karbor_backup_core import (
    Backend,
    BackendInfo,
    ContractViolation,
    Driver,
    Lease,
    ManualClock,
    MemoryStore,
    Operation,
    OperationFuture,
    Policy,
    Resource,
    Result,
    Runner,
    State,
    hookimpl,
)
from karbor_backup_core._execution.work_queue import WorkQueue
from karbor_backup_fake import FakeBackend, FakeCloud
from karbor_backup_fake.faults import StallJob
from tests.core.stub_backends import INFO, StubBackend
from tests.support.strategies import operation

LONG = 30.0
OPTIONS = {"backup_name": "nightly"}
QUICK = timedelta(milliseconds=1)
POLICY = Policy(poll_first=QUICK, poll_limit=QUICK * 20, retry_first=QUICK, unknown_gap=QUICK)


class Watcher:
    """Notes the operations as they are stored, and lets a test wait for one of them."""

    def __init__(self) -> None:
        self.seen: list[Operation] = []
        self._changed = threading.Condition()

    def __call__(self, changed: Operation) -> None:
        with self._changed:
            self.seen.append(changed)
            self._changed.notify_all()

    def wait_until_queued(self, operation_id: str) -> Operation:
        """Return an operation once it is stored as queued."""
        return self._wait(operation_id, lambda each: each.queued)

    def wait_until_running(self, operation_id: str) -> Operation:
        """Return an operation once its work goes on."""
        return self._wait(operation_id, lambda each: each.state is State.RUNNING)

    def _wait(self, operation_id: str, holds: Callable[[Operation], bool]) -> Operation:
        def find() -> Operation | None:
            return next((x for x in self.seen if x.id == operation_id and holds(x)), None)

        with self._changed:
            found = self._changed.wait_for(find, LONG)
        assert found is not None
        return found


@pytest.fixture
def cloud() -> FakeCloud:
    """Return a cloud that works on any number, and whose backend declares a limit of one."""
    return FakeCloud("here")


@pytest.fixture
def watcher() -> Watcher:
    return Watcher()


class LimitedBackend(FakeBackend):
    """Declares the limit, which its service would not keep."""

    @hookimpl
    def describe(self) -> BackendInfo:
        return attrs.evolve(super().describe(), work_limit=1)


@pytest.fixture
def runner(cloud: FakeCloud, watcher: Watcher) -> Iterator[Runner]:
    backend = Backend.from_plugin("cloud", LimitedBackend({}, cloud=cloud))
    with Runner(MemoryStore(), {"cloud": backend}, policy=POLICY, on_change=watcher) as runner:
        yield runner


def add_volumes(cloud: FakeCloud, count: int) -> list[Resource]:
    names = [Resource("OS::Cinder::Volume", f"v{number}") for number in range(count)]
    return [cloud.add_resource(each, b"bytes") for each in names]


@pytest.fixture
def volumes(cloud: FakeCloud) -> list[Resource]:
    return add_volumes(cloud, 2)


@pytest.fixture
def stalled(
    runner: Runner, cloud: FakeCloud, watcher: Watcher, volumes: list[Resource]
) -> Iterator[OperationFuture]:
    """Yield a protect of the first volume that takes all room until it is cancelled."""
    cloud.faults.plan("create_job", StallJob())
    begun = runner.protect("cloud", volumes[0], OPTIONS)
    watcher.wait_until_running(begun.id)
    yield begun
    runner.cancel(begun.id)
    begun.result(LONG)


def test_operations_beyond_the_limit_begin_one_after_the_other(
    runner: Runner, cloud: FakeCloud, watcher: Watcher
) -> None:
    begun = [runner.protect("cloud", each, OPTIONS) for each in add_volumes(cloud, 6)]
    assert all(each.result(LONG).succeeded for each in begun)
    under_way: set[str] = set()
    for each in watcher.seen:
        if each.state is State.RELEASED:
            under_way.discard(each.id)
        elif each.state is not State.PLANNED:
            under_way.add(each.id)
        assert len(under_way) <= 1


def test_a_queued_operation_says_so_until_it_begins(
    runner: Runner, watcher: Watcher, volumes: list[Resource], stalled: OperationFuture
) -> None:
    waiting = runner.protect("cloud", volumes[1], OPTIONS)
    queued = watcher.wait_until_queued(waiting.id)
    assert queued.state is State.PLANNED
    assert "works on 1 at once" in queued.retry.last_error
    runner.cancel(stalled.id)
    ended = waiting.result(LONG)
    assert ended.succeeded
    assert not ended.queued


@pytest.mark.usefixtures("stalled")
def test_a_queued_operation_is_cancelled_without_a_call_of_its_backend(
    runner: Runner, cloud: FakeCloud, watcher: Watcher, volumes: list[Resource]
) -> None:
    waiting = runner.protect("cloud", volumes[1], OPTIONS)
    watcher.wait_until_queued(waiting.id)
    runner.cancel(waiting.id)
    ended = waiting.result(LONG)
    assert ended.result is Result.CANCELLED
    assert ended.phase == 0
    assert not cloud.started[ended.id, 1]


@pytest.mark.usefixtures("stalled")
def test_the_deadline_of_a_queued_operation_runs(runner: Runner, volumes: list[Resource]) -> None:
    waiting = runner.protect("cloud", volumes[1], OPTIONS, deadline=timedelta(milliseconds=50))
    ended = waiting.result(LONG)
    assert ended.result is Result.FAILED
    assert ended.outcome is not None
    assert "not done by its deadline" in ended.outcome.reason
    assert "works on 1 at once" in ended.outcome.reason
    assert ended.phase == 0


def test_resumed_work_counts_although_it_is_not_made_to_wait(
    runner: Runner, cloud: FakeCloud, watcher: Watcher
) -> None:
    first, second = add_volumes(cloud, 2)
    cloud.faults.plan("create_job", StallJob())
    elsewhere = Driver(runner.store, runner.backends)
    begun = Runner(runner.store, runner.backends).plan("cloud", "protect", first, OPTIONS)
    begun = elsewhere.step(elsewhere.step(elsewhere.add(begun)))
    elsewhere.release_lease(begun)
    resumed = runner.resume(begun.id)
    waiting = runner.protect("cloud", second, OPTIONS)
    watcher.wait_until_queued(waiting.id)
    runner.cancel(resumed.id)
    assert waiting.result(LONG).succeeded


def test_places_are_given_in_the_order_of_arrival() -> None:
    admitted: list[str] = []
    queue = WorkQueue(2, admitted.append)
    names = ("one", "two", "three", "four", "five")
    assert [queue.admit(each) for each in names] == [True, True, False, False, False]
    assert not queue.admit("five")  # its place stays the same
    queue.leave("four")  # it was cancelled
    queue.leave("one")
    queue.leave("two")
    assert admitted == ["three", "five"]
    assert queue.admit("three")
    assert queue.is_admitted("five")


def test_backends_without_a_limit_admit_all(cloud: FakeCloud, watcher: Watcher) -> None:
    cloud.faults.plan("create_job", *[StallJob()] * 20)
    backend = Backend.from_plugin("cloud", FakeBackend({}, cloud=cloud))
    with Runner(MemoryStore(), {"cloud": backend}, policy=POLICY, on_change=watcher) as runner:
        begun = [runner.protect("cloud", each, OPTIONS) for each in add_volumes(cloud, 20)]
        assert all(not watcher.wait_until_running(each.id).queued for each in begun)


def test_a_queued_operation_taken_over_by_another_process_is_reported() -> None:
    store, clock = MemoryStore(), ManualClock()
    driver = Driver(store, {}, clock=clock)
    planned = store.add(operation(id="one", lease=Lease(driver.owner, clock())))
    other = Driver(store, {}, clock=clock)
    store.write([attrs.evolve(planned, lease=Lease(other.owner, clock()), fence=planned.fence + 1)])
    with pytest.raises(Exception, match="taken over"):
        driver.queue(planned, 1)


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_that_lets_nothing_begin_is_refused(limit: int) -> None:
    class Limited(StubBackend):
        @hookimpl
        def describe(self) -> BackendInfo:
            return attrs.evolve(INFO, work_limit=limit)

    with pytest.raises(ContractViolation, match="work_limit"):
        Backend.from_plugin("small", Limited())
