"""Waits for what other processes and threads do, which only a hang keeps from their end."""

import time
from collections.abc import Callable
from typing import IO, Final, TypeVar

_Found = TypeVar("_Found")

LONG: Final = 200.0
"""Seconds that only a hang takes, on a slow and busy machine too; less than a test has."""

_INTERVAL: Final = 0.02


def wait_until(look: Callable[[], _Found]) -> _Found:
    """Return what is found as soon as there is something."""
    until = time.monotonic() + LONG
    while not (found := look()):
        assert time.monotonic() < until, "it did not happen"
        time.sleep(_INTERVAL)
    return found


def read_until(output: IO[str] | None, text: str) -> str:
    """Return what a process prints, up to the end of the first line with a text."""
    assert output is not None
    printed = ""
    while text not in printed:
        line = output.readline()
        assert line, f"{text!r} was never printed, only: {printed}"
        printed += line
    return printed
