"""Operations that wait hear of a cancel, and one look at the store is enough for many."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import attrs
import pytest

from karbor_backup_core import Driver, ManualClock, MemoryStore, Operation, Retry, StoreError
from karbor_backup_core._execution.delay_queue import DelayQueue
from tests.support.strategies import lease, operation

SOON = timedelta(seconds=5)


class DelayQueueHarness:
    """Delays whose timer and submitted tasks are kept until the test runs them."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = MemoryStore()
        self.driver = Driver(self.store, {}, clock=self.clock)
        self.entries: list[tuple[timedelta, Callable[[], object]]] = []
        self.tasks: list[Callable[[], None]] = []
        self.ready: list[Operation] = []
        self.queue = DelayQueue(self.driver, self, self.ready.append, self.tasks.append)  # type: ignore[arg-type]

    def schedule(self, delay: timedelta, action: Callable[[], object]) -> Any:
        """Stand for the timer."""
        self.entries.append((delay, action))
        return self.entries[-1]

    def cancel(self, entry: Any) -> bool:
        """Stand for the timer."""
        self.entries.remove(entry)
        return True

    def add_delayed(self, name: str, **changes: object) -> Operation:
        """Store an operation of this process that is to wait."""
        planned = operation(
            id=name, lease=lease(self.driver.owner), retry=Retry(not_before=self.clock() + SOON)
        )
        stored = self.store.add(attrs.evolve(planned, **changes))
        self.queue.put(stored)
        return stored


@pytest.fixture
def harness() -> DelayQueueHarness:
    return DelayQueueHarness()


def test_an_operation_goes_on_at_its_time(harness: DelayQueueHarness) -> None:
    waiting = harness.add_delayed("one")
    ((delay, action),) = harness.entries
    assert delay == SOON
    action()
    assert harness.ready == [waiting]


def test_one_store_query_serves_all_operations_put_before_it(harness: DelayQueueHarness) -> None:
    for number in range(5):
        harness.add_delayed(f"op-{number}")
    assert len(harness.tasks) == 1
    harness.tasks.pop()()
    harness.add_delayed("later")
    assert len(harness.tasks) == 1


def test_cancel_written_before_put_is_noticed(harness: DelayQueueHarness) -> None:
    waiting = harness.add_delayed("one")
    harness.driver.request_cancel(waiting.id)
    harness.tasks.pop()()
    assert [each.cancel_requested for each in harness.ready] == [True]
    assert harness.entries == []


def test_operation_with_known_cancel_stays_in_the_queue(harness: DelayQueueHarness) -> None:
    harness.add_delayed("one", cancel_requested=True)
    harness.tasks.pop()()
    assert harness.ready == []
    assert len(harness.entries) == 1


def test_a_store_that_cannot_be_asked_is_logged(
    harness: DelayQueueHarness, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: str) -> None:
        raise StoreError("the disk is gone")

    harness.add_delayed("one")
    monkeypatch.setattr(harness.store, "cancel_requests", fail)
    harness.tasks.pop()()
    assert "the disk is gone" in caplog.text
