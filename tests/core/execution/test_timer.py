"""Things to do later, each at its time."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from karbor_backup_core import ManualClock
from karbor_backup_core._execution.timer import Timer

SOON = timedelta(milliseconds=1)
NEVER = timedelta(days=1)


@pytest.fixture
def timer() -> Iterator[Timer]:
    timer = Timer()
    yield timer
    timer.close()


def test_calls_are_made_in_order_of_their_time(timer: Timer) -> None:
    clock = ManualClock()
    timer._scheduler.timefunc = lambda: clock().timestamp()
    order: list[str] = []
    over = threading.Event()
    timer.schedule(NEVER * 4, lambda: order.append("never"))
    timer.schedule(NEVER * 3, over.set)
    timer.schedule(NEVER * 2, lambda: order.append("second"))
    timer.schedule(NEVER, lambda: order.append("first"))
    clock.advance(3 * NEVER.total_seconds())
    timer.schedule(NEVER, lambda: order.append("never"))  # it wakes the timer
    assert over.wait(10)
    assert order == ["first", "second"]


def test_negative_delay_calls_at_once(timer: Timer) -> None:
    over = threading.Event()
    timer.schedule(-NEVER, over.set)
    assert over.wait(10)


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt])
def test_exception_in_a_call_stops_no_other_call(timer: Timer, error: type[BaseException]) -> None:
    def fail() -> None:
        raise error

    over = threading.Event()
    timer.schedule(SOON, fail)
    timer.schedule(SOON * 2, over.set)
    assert over.wait(10)


def test_delay_that_no_timer_can_wait_for_stops_nothing(timer: Timer) -> None:
    timer.schedule(timedelta(days=400_000), lambda: None)
    over = threading.Event()
    timer.schedule(SOON, over.set)
    assert over.wait(10)


def test_scheduled_call_can_be_cancelled_once(timer: Timer) -> None:
    event = timer.schedule(NEVER, lambda: None)
    assert timer.cancel(event)
    assert not timer.cancel(event)


def test_thread_exists_only_between_first_schedule_and_close() -> None:
    timer = Timer()
    assert "karbor-backup-timer" not in {thread.name for thread in threading.enumerate()}
    timer.schedule(NEVER, lambda: None)
    timer.close()
    timer.schedule(SOON, lambda: None)
    assert "karbor-backup-timer" not in {thread.name for thread in threading.enumerate()}
