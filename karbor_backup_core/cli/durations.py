"""Durations as people write them: ``90s``, ``5m``, ``1h30m``, ``2d``, or a number of seconds."""

import re
from datetime import timedelta
from typing import Final

import click

_PARTS: Final = re.compile(
    r"(?=.)(?:(?P<days>\d+)d)?(?:(?P<hours>\d+)h)?(?:(?P<minutes>\d+)m)?"
    r"(?:(?P<seconds>\d+(?:\.\d+)?)s?)?",
    re.ASCII,
)


def parse_duration(text: str) -> timedelta:
    """Read a duration; a plain number is in seconds.

    Raises:
        ValueError: it is not written so, it is zero, or it is longer than Python can count.
    """
    match = _PARTS.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no duration: write it like 90s, 5m, 1h30m or 2d")
    try:
        duration = timedelta(**{unit: float(n) for unit, n in match.groupdict().items() if n})
    except OverflowError:
        raise ValueError(f"{text!r} is longer than can be counted: give less") from None
    if not duration:
        raise ValueError(f"{text!r} is not longer than nothing: give more")
    return duration


def duration_option(text: str) -> timedelta:
    """Read the value of an option; click names the option in the error.

    Raises:
        click.BadParameter: it is no duration.
    """
    try:
        return parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
