"""Delays before a repeat: the longest doubles, up to a limit, and none is shorter than its half."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from karbor_backup_core._lifecycle.retry_delays import RANDOM_JITTER, exponential_delay

SECOND = timedelta(seconds=1)
_DELAYS = st.timedeltas(timedelta(milliseconds=1), timedelta(days=30))


def test_longest_delay_doubles_up_to_its_limit() -> None:
    delays = [exponential_delay(SECOND, 60 * SECOND, n, max) for n in (1, 2, 3, 7, 5000)]
    assert [delay.total_seconds() for delay in delays] == [1, 2, 4, 60, 60]


@given(first=_DELAYS, limit=_DELAYS, times=st.integers(1, 10**6))
def test_random_delay_stays_between_its_bounds(
    first: timedelta, limit: timedelta, times: int
) -> None:
    delay = exponential_delay(first, limit, times, RANDOM_JITTER)
    longest = exponential_delay(first, limit, times, max)
    rounding = timedelta(microseconds=1)
    assert longest / 2 - rounding <= delay <= longest + rounding


def test_random_delays_differ() -> None:
    assert len({exponential_delay(SECOND, 60 * SECOND, 5, RANDOM_JITTER) for _ in range(20)}) > 1
