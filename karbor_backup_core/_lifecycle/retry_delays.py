"""How long to wait before a repeat."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Final, TypeAlias

Jitter: TypeAlias = Callable[[float, float], float]
"""Returns a number of seconds between the shortest and the longest; ``max`` for exact delays."""

RANDOM_JITTER: Final[Jitter] = random.SystemRandom().uniform
"""Processes that were forked from one another draw different delays from it."""

_MAX_EXPONENT: Final = 60
"""Beyond it every limit is reached, and a larger power might not fit a number of seconds."""


def exponential_delay(first: timedelta, limit: timedelta, times: int, jitter: Jitter) -> timedelta:
    """Return a delay, the longest of which doubles each time, and the shortest is half of that.

    Random delays keep apart what failed at the same moment.

    Args:
        first: the longest delay after the first failure.
        limit: the longest delay.
        times: how many failures came in a row.
        jitter: chooses a delay between the shortest and the longest.
    """
    factor = 2.0 ** min(times - 1, _MAX_EXPONENT)
    longest = min(first.total_seconds() * factor, limit.total_seconds())
    return timedelta(seconds=jitter(longest / 2, longest))
