"""How long to wait before a repeat: delays that double with each failure, up to a limit."""

import random
from datetime import timedelta
from typing import Final

_RANDOM: Final = random.SystemRandom()
"""Processes that were forked from one another draw different delays from it."""

_MAX_EXPONENT: Final = 60
"""Beyond it every limit is reached, and a larger power might not fit a number of seconds."""


def exponential_delay(first: timedelta, limit: timedelta, times: int) -> timedelta:
    """Return a delay that doubles each time, up to a limit.

    Args:
        first: the delay after the first failure.
        limit: the longest delay.
        times: how many failures came in a row.
    """
    return timedelta(seconds=_exponential_seconds(first, limit, times))


def random_exponential_delay(first: timedelta, limit: timedelta, times: int) -> timedelta:
    """Return a random delay, of at least a quarter of the first one and at most the doubled one.

    Random delays keep processes apart that failed at the same moment.

    Args:
        first: the longest delay after the first failure.
        limit: the longest delay.
        times: how many failures came in a row.
    """
    shortest = min(first, limit)
    longest = _exponential_seconds(shortest, limit, times)
    seconds = _RANDOM.uniform(shortest.total_seconds() / 4, longest)
    return timedelta(seconds=seconds)


def _exponential_seconds(first: timedelta, limit: timedelta, times: int) -> float:
    factor = 2.0 ** min(times - 1, _MAX_EXPONENT)
    return min(first.total_seconds() * factor, limit.total_seconds())
