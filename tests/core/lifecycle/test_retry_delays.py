"""Delays before a repeat: they double, up to a limit, and random ones stay between their bounds."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from karbor_backup_core._lifecycle.retry_delays import exponential_delay, random_exponential_delay

SECOND = timedelta(seconds=1)
_DELAYS = st.timedeltas(timedelta(milliseconds=1), timedelta(days=30))


def test_delay_doubles_up_to_its_limit() -> None:
    delays = [exponential_delay(SECOND, 60 * SECOND, n).total_seconds() for n in (1, 2, 3, 7, 5000)]
    assert delays == [1, 2, 4, 60, 60]


@given(first=_DELAYS, limit=_DELAYS, times=st.integers(1, 10**6))
def test_random_delay_stays_between_its_bounds(
    first: timedelta, limit: timedelta, times: int
) -> None:
    delay = random_exponential_delay(first, limit, times)
    shortest = min(first, limit) / 4
    assert shortest - timedelta(microseconds=1) <= delay
    assert delay <= exponential_delay(first, limit, times) + timedelta(microseconds=1)


def test_random_delays_differ() -> None:
    assert len({random_exponential_delay(SECOND, 60 * SECOND, 5) for _ in range(20)}) > 1
