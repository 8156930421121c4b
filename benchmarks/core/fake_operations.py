"""Operations on the fake cloud, and stopwatches: what the benchmarks of the core share."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeAlias

import attrs

from karbor_backup_core import (
    Backend,
    Operation,
    Resource,
    Runner,
    State,
    Store,
    plan_protect,
)
from karbor_backup_fake import FakeBackend, FakeCloud

Stopwatch: TypeAlias = Callable[[], float]

NAME: Final = "fake"
"""The configured name of the backend."""

OPTIONS: Final = {"backup_name": "nightly"}


def make_volumes(count: int) -> list[Resource]:
    """Name volumes, none of which is anywhere yet."""
    return [Resource("OS::Cinder::Volume", f"volume-{number}") for number in range(count)]


def make_backend(cloud: FakeCloud, resources: Iterable[Resource]) -> FakeBackend:
    """Put resources into a cloud, and a backend before it."""
    for resource in resources:
        cloud.add_resource(resource, b"data")
    return FakeBackend({}, cloud=cloud)


def make_submitting_protect(backend: Backend, resource: Resource) -> Operation:
    """Return a protect as a backend is first asked for it."""
    planned = plan_protect(backend, resource, OPTIONS)
    return attrs.evolve(planned, state=State.SUBMITTING, phase=1, attempt=1)


@attrs.define
class StateLatch:
    """Waits until that many operations have reached a state.

    Attributes:
        state: the state.
        count: how many.
        reached: set then.
    """

    state: State
    count: int
    reached: threading.Event = attrs.field(factory=threading.Event)
    _ids: set[str] = attrs.field(factory=set)

    def on_change(self, operation: Operation) -> None:
        """Hear of a change, as the runner's ``on_change``."""
        if operation.state is self.state:
            self._ids.add(operation.id)
            if len(self._ids) == self.count:
                self.reached.set()


def protect_concurrently(
    store: Store, count: int, callers: int, stopwatch: Stopwatch = time.perf_counter
) -> float:
    """Protect that many volumes in a cloud whose jobs take no time.

    Args:
        store: remembers the operations.
        count: how many.
        callers: how many threads ask for them.
        stopwatch: tells the seconds, of the day or of the processor.

    Returns:
        Seconds from the first request until the last operation is released, per operation.
    """
    resources = make_volumes(count)
    backend = Backend.from_plugin(NAME, make_backend(FakeCloud(), resources))
    released = StateLatch(State.RELEASED, count)
    runner = Runner(store, {NAME: backend}, on_change=released.on_change)
    with runner, ThreadPoolExecutor(callers) as pool:
        start = stopwatch()
        for caller in range(callers):
            pool.submit(_begin_protects, runner, resources[caller::callers])
        released.reached.wait()
        return (stopwatch() - start) / count


def _begin_protects(runner: Runner, resources: Iterable[Resource]) -> None:
    for each in resources:
        runner.protect(NAME, each, OPTIONS)


def protect_sequentially(store: Store, count: int) -> float:
    """Protect that many volumes, each after the one before; answer as ``protect_concurrently``."""
    resources = make_volumes(count)
    backend = Backend.from_plugin(NAME, make_backend(FakeCloud(), resources))
    with Runner(store, {NAME: backend}) as runner:
        start = time.perf_counter()
        ended = [runner.protect(NAME, each, OPTIONS).result() for each in resources]
        seconds = time.perf_counter() - start
    check_released(ended)
    return seconds / count


def check_released(operations: Sequence[Operation]) -> None:
    """Make sure that what was measured was done.

    Raises:
        RuntimeError: an operation is not released.
    """
    for operation in operations:
        if operation.state is not State.RELEASED:
            raise RuntimeError(f"operation {operation.id} is {operation.state}, not released")


def measure_minimum(repeats: int, measures: Sequence[Callable[[], float]]) -> list[float]:
    """Take several measurements in turn, and of each the least: disturbance only adds."""
    rounds = [[measure() for measure in measures] for _ in range(repeats)]
    return [min(times) for times in zip(*rounds, strict=True)]


def call_timer(call: Callable[[], Any], calls: int) -> Callable[[], float]:
    """Return a function that measures the seconds of one call of a function."""

    def measure() -> float:
        start = time.perf_counter()
        for _ in range(calls):
            call()
        return (time.perf_counter() - start) / calls

    return measure
