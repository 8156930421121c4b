"""Durations as people write them: ``90s``, ``5m``, ``1h30m``, ``2d``, or a number of seconds."""

import re
from datetime import timedelta
from typing import Final

_PARTS: Final = re.compile(
    r"(?=.)(?:(?P<days>\d+)d)?(?:(?P<hours>\d+)h)?(?:(?P<minutes>\d+)m)?"
    r"(?:(?P<seconds>\d+(?:\.\d+)?)s?)?",
    re.ASCII,
)


MAX_DURATION: Final = timedelta(days=36_500)
"""A hundred years: dates that lie so far from today can still be computed with."""

_MAX_QUOTED: Final = 40


def quote_shortened(text: str) -> str:
    """Return a text in quotes, cut where it is long."""
    return repr(text if len(text) <= _MAX_QUOTED else f"{text[:_MAX_QUOTED]}...")


def parse_duration(text: str) -> timedelta:
    """Read a duration; a plain number is in seconds.

    Raises:
        ValueError: it is not written so, it is zero, or it is longer than Python can count.
    """
    match = _PARTS.fullmatch(text.strip())
    if match is None:
        raise ValueError(
            f"{quote_shortened(text)} is no duration: write it like 90s, 5m, 1h30m or 2d"
        )
    try:
        duration = timedelta(**{unit: float(n) for unit, n in match.groupdict().items() if n})
    except (OverflowError, ValueError):
        raise ValueError(
            f"{quote_shortened(text)} is longer than can be counted: give less"
        ) from None
    if duration > MAX_DURATION:
        raise ValueError(
            f"{quote_shortened(text)} is longer than {MAX_DURATION.days} days: give less"
        )
    if not duration:
        raise ValueError(f"{quote_shortened(text)} is not longer than nothing: give more")
    return duration
