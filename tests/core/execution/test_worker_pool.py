"""Operations are advanced by a few threads, each once, and none after the close."""

import threading
from collections.abc import Callable, Iterator

import pytest

from karbor_backup_core import Operation
from karbor_backup_core._execution.worker_pool import WorkerPool
from tests.support.strategies import operation

LONG = 30.0
THREADS = 3


class WorkerPoolHarness:
    """A worker pool that works until it is told to stop waiting.

    Attributes:
        advanced: the ids of what was advanced, in order.
        gate: what each advance waits for.
        all_busy: passed once every thread is at work.
    """

    def __init__(self) -> None:
        self.advanced: list[str] = []
        self.gate = threading.Event()
        self.all_busy = threading.Barrier(THREADS + 1, timeout=LONG)
        self.pool = WorkerPool(THREADS, self._advance)
        self.also: Callable[[Operation], None] = lambda _: None

    def _advance(self, what: Operation) -> None:
        if not self.gate.is_set():
            self.all_busy.wait()
            self.gate.wait(LONG)
        self.advanced.append(what.id)
        self.also(what)


@pytest.fixture
def harness() -> Iterator[WorkerPoolHarness]:
    harness = WorkerPoolHarness()
    yield harness
    harness.gate.set()
    harness.pool.close()


def test_few_threads_advance_every_item(harness: WorkerPoolHarness) -> None:
    done = threading.Event()
    harness.also = lambda what: done.set() if what.id == "last" else None
    ids = [f"op-{number}" for number in range(50)]
    for each in [*ids, "last"]:
        harness.pool.submit(operation(id=each))
    harness.all_busy.wait()
    assert harness.advanced == []
    harness.gate.set()
    assert done.wait(LONG)
    harness.pool.close()
    assert sorted(harness.advanced) == sorted([*ids, "last"])


def test_idle_threads_are_used_again(harness: WorkerPoolHarness) -> None:
    harness.gate.set()
    for number in range(10):
        done = threading.Event()
        harness.also = lambda _, done=done: done.set()  # type: ignore[misc]
        harness.pool.submit(operation(id=f"op-{number}"))
        assert done.wait(LONG)
    assert len(harness.advanced) == 10


def test_waiting_items_are_dropped_on_close(harness: WorkerPoolHarness) -> None:
    for number in range(10):
        harness.pool.submit(operation(id=f"op-{number}"))
    harness.all_busy.wait()
    closing = threading.Thread(target=harness.pool.close)
    closing.start()
    # The close drops them before it waits for the threads.
    while harness.pool._waiting:
        assert closing.is_alive()
    harness.gate.set()
    closing.join()
    harness.pool.submit(operation(id="late"))
    assert len(harness.advanced) == THREADS
