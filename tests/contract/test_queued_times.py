"""The time that an operation is queued for counts neither for its deadline nor for its rule."""

import threading
from datetime import timedelta

import attrs
import pytest

from karbor_backup_contract._queued_times import QueuedTimes
from karbor_backup_contract._time_limit import limit_time
from karbor_backup_contract._violation import RuleViolation
from karbor_backup_core import ManualClock, MemoryStore, Operation, Retry
from tests.support.strategies import operation

MINUTE = timedelta(minutes=1)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def add_queued(store: MemoryStore, clock: ManualClock, name: str = "one") -> Operation:
    planned = operation(id=name, deadline=clock() + MINUTE, retry=Retry(queued=True))
    return store.add(planned)


def test_a_deadline_stays_as_far_ahead_while_an_operation_is_queued(
    store: MemoryStore, clock: ManualClock
) -> None:
    times = QueuedTimes(store, 3 * MINUTE)
    queued = times.extend_deadline(add_queued(store, clock), clock())
    clock.advance(90)
    queued = times.extend_deadline(queued, clock())
    assert queued.deadline == clock() + MINUTE
    assert store.operation(queued.id).deadline == queued.deadline


def test_a_deadline_runs_on_once_the_work_has_begun(store: MemoryStore, clock: ManualClock) -> None:
    times = QueuedTimes(store, 3 * MINUTE)
    queued = times.extend_deadline(add_queued(store, clock), clock())
    begun = attrs.evolve(queued, retry=Retry())
    clock.advance(90)
    assert times.extend_deadline(begun, clock()) is begun


@pytest.mark.parametrize(("others", "excused"), [(0, False), (1, True)])
def test_an_operation_is_queued_for_as_long_as_others_may_take(
    store: MemoryStore, clock: ManualClock, others: int, *, excused: bool
) -> None:
    times = QueuedTimes(store, MINUTE)
    queued = times.extend_deadline(add_queued(store, clock), clock())
    for number in range(others):
        store.add(operation(id=f"other-{number}"))
    clock.advance(90)
    assert times.is_excused(times.extend_deadline(queued, clock())) is excused


def test_a_cancelled_operation_is_not_excused(store: MemoryStore, clock: ManualClock) -> None:
    queued = attrs.evolve(add_queued(store, clock), cancel_requested=True)
    assert not QueuedTimes(store, MINUTE).is_excused(queued)


def test_a_rule_gets_the_time_that_is_granted_and_no_more() -> None:
    asked: list[float] = []

    def granted() -> float:
        asked.append(0.01)
        return min(len(asked), 3) * 0.01

    with pytest.raises(RuleViolation, match="not over after"), limit_time(0.01, granted):
        threading.Event().wait(60)
    assert len(asked) >= 4
