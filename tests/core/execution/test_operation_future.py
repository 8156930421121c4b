"""Waiting for operations: by futures, in coroutines, without a thread for each."""

import asyncio
import concurrent.futures
import threading
from collections.abc import Iterator
from datetime import timedelta

import attrs
import pytest

from karbor_backup_core import (
    Backend,
    ManualClock,
    MemoryStore,
    Operation,
    Policy,
    Resource,
    Runner,
    RunnerClosed,
    State,
)
from karbor_backup_fake import FakeBackend, FakeCloud
from karbor_backup_fake.faults import StallJob

QUICK = timedelta(milliseconds=1)
POLICY = Policy(poll_first=QUICK, poll_limit=QUICK * 20)
VOLUME = Resource("OS::Cinder::Volume", "v1", "data")
OPTIONS = {"backup_name": "nightly"}
LONG = 60.0
TIMEOUT = 200.0


@pytest.fixture
def cloud() -> FakeCloud:
    cloud = FakeCloud("here")
    cloud.add_resource(VOLUME, b"bytes")
    return cloud


@pytest.fixture
def runner(cloud: FakeCloud) -> Iterator[Runner]:
    backend = Backend.from_plugin("cloud", FakeBackend({}, cloud=cloud))
    with Runner(MemoryStore(), [backend], policy=POLICY) as runner:
        yield runner


def test_future_takes_part_in_waits_of_the_standard_library(runner: Runner) -> None:
    futures = [runner.protect("cloud", VOLUME, OPTIONS) for _ in range(3)]
    done, pending = concurrent.futures.wait(futures, LONG)
    assert (len(done), pending) == (3, set())
    assert {future.result().state for future in done} == {State.RELEASED}


def test_operation_is_awaited(runner: Runner) -> None:
    async def protect_all() -> list[State]:
        futures = [runner.protect("cloud", VOLUME, OPTIONS) for _ in range(3)]
        return [operation.state for operation in await asyncio.gather(*futures)]

    assert asyncio.run(protect_all()) == [State.RELEASED] * 3


def test_task_that_is_cancelled_cancels_no_operation(runner: Runner, cloud: FakeCloud) -> None:
    cloud.faults.plan("create_job", StallJob())
    future = runner.protect("cloud", VOLUME, OPTIONS)

    async def give_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.wrap_future(future), 0.01)

    asyncio.run(give_up())
    assert not future.cancel()
    assert not future.done()
    assert not runner.operation(future.id).cancel_requested
    runner.cancel(future.id)
    assert future.result(LONG).state is State.RELEASED


def test_future_of_an_operation_fails_when_its_runner_closes(cloud: FakeCloud) -> None:
    cloud.faults.plan("create_job", StallJob())
    store = MemoryStore()
    backend = Backend.from_plugin("cloud", FakeBackend({}, cloud=cloud))
    with Runner(store, [backend], policy=POLICY) as first:
        left = first.protect("cloud", VOLUME, OPTIONS)
    with pytest.raises(RunnerClosed, match=f"operation {left.id} .* resume it with another one"):
        left.result(LONG)
    with Runner(store, [backend], policy=POLICY) as second:
        resumed = second.resume(left.id)
        assert second.resume(left.id) is resumed
        second.cancel(left.id)
        assert resumed.result(LONG).state is State.RELEASED
        assert second.resume(left.id).done()


def test_ten_thousand_operations_are_awaited_without_a_thread_for_each() -> None:
    clock = ManualClock()
    cloud = FakeCloud("here", clock=clock, service_seconds=3600)
    volumes = [cloud.add_resource(attrs.evolve(VOLUME, id=f"v{n}")) for n in range(10_000)]
    backend = Backend.from_plugin("cloud", FakeBackend({}, cloud=cloud))
    patient = attrs.evolve(POLICY, poll_first=QUICK * 100, poll_limit=QUICK * 100)
    running: set[str] = set()
    all_run = threading.Event()

    def listen(operation: Operation) -> None:
        if operation.state is State.RUNNING:
            running.add(operation.id)
            if len(running) == len(volumes):
                all_run.set()

    async def protect_all(runner: Runner) -> set[State]:
        before = threading.active_count()
        futures = [runner.protect("cloud", volume, OPTIONS) for volume in volumes]
        waiting = asyncio.gather(*futures)
        assert await asyncio.to_thread(all_run.wait, TIMEOUT)
        assert threading.active_count() - before <= 15, "with the one that waits here"
        clock.advance(3600)
        return {operation.state for operation in await waiting}

    with Runner(MemoryStore(), [backend], policy=patient, on_change=listen) as runner:
        assert asyncio.run(protect_all(runner)) == {State.RELEASED}
