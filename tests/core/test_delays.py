"""Operations that wait hear of a cancel, and one look at the store is enough for many."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import attrs
import pytest

from karbor_backup_core import Driver, ManualClock, MemoryStore, Operation, StoreError
from karbor_backup_core.delays import Delays
from tests.strategies import operation

SOON = timedelta(seconds=5)


class Room:
    """Delays whose agenda and errands are kept until the test runs them."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = MemoryStore()
        self.driver = Driver(self.store, {}, clock=self.clock)
        self.entries: list[tuple[timedelta, Callable[[], object]]] = []
        self.errands: list[Callable[[], None]] = []
        self.gone_on: list[Operation] = []
        self.delays = Delays(self.driver, self, self.gone_on.append, self.errands.append)  # type: ignore[arg-type]

    def after(self, delay: timedelta, action: Callable[[], object]) -> Any:
        """Stand for the agenda."""
        self.entries.append((delay, action))
        return self.entries[-1]

    def forget(self, entry: Any) -> bool:
        """Stand for the agenda."""
        self.entries.remove(entry)
        return True

    def delayed(self, name: str, **changes: object) -> Operation:
        """Store an operation of this process that is to wait."""
        planned = operation(id=name, owner=self.driver.owner, not_before=self.clock() + SOON)
        stored = self.store.add(attrs.evolve(planned, **changes))
        self.delays.add(stored)
        return stored


@pytest.fixture
def room() -> Room:
    return Room()


def test_an_operation_goes_on_at_its_time(room: Room) -> None:
    waiting = room.delayed("one")
    ((delay, action),) = room.entries
    assert delay == SOON
    action()
    assert room.gone_on == [waiting]


def test_one_look_is_enough_for_all_that_begin_to_wait_before_it(room: Room) -> None:
    for number in range(5):
        room.delayed(f"op-{number}")
    assert len(room.errands) == 1
    room.errands.pop()()
    room.delayed("later")
    assert len(room.errands) == 1


def test_a_cancel_written_before_it_began_to_wait_is_heard(room: Room) -> None:
    waiting = room.delayed("one")
    room.driver.request_cancel(waiting.id)
    room.errands.pop()()
    assert [each.cancel_requested for each in room.gone_on] == [True]
    assert room.entries == []


def test_one_that_knows_of_its_cancel_waits_on(room: Room) -> None:
    room.delayed("one", cancel_requested=True)
    room.errands.pop()()
    assert room.gone_on == []
    assert len(room.entries) == 1


def test_a_store_that_cannot_be_asked_is_logged(
    room: Room, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: str) -> None:
        raise StoreError("the disk is gone")

    room.delayed("one")
    monkeypatch.setattr(room.store, "cancel_requests", fail)
    room.errands.pop()()
    assert "the disk is gone" in caplog.text
