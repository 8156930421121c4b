"""How long one greenthread has kept all others from running; for processes with eventlet."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import attrs
import eventlet

_INTERVAL = 0.01


@attrs.define
class BlockedTime:
    """The longest time for which nothing else could run.

    Attributes:
        seconds: how long that was, so far.
    """

    seconds: float = 0.0


@contextmanager
def measure_blocking() -> Iterator[BlockedTime]:
    """Look on from a greenthread that wants to run a hundred times a second."""
    block = BlockedTime()
    thread = eventlet.spawn(_sample, block)
    try:
        yield block
    finally:
        thread.kill()


def _sample(block: BlockedTime) -> None:
    while True:
        before = time.monotonic()
        eventlet.sleep(_INTERVAL)
        block.seconds = max(block.seconds, time.monotonic() - before - _INTERVAL)
