"""The clock: a plain callable, so that tests can set it."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

import attrs

Clock: TypeAlias = Callable[[], datetime]
"""Returns the present instant, in UTC. The core reads the time from nothing else."""

# CLOCK_MONOTONIC stands still while the machine is suspended, CLOCK_BOOTTIME does not. Only Linux
# has the latter.
_UPTIME: Final[int] = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def system_clock() -> datetime:
    """Return the machine's time, in UTC."""
    return datetime.now(UTC)


def uptime() -> float:
    """Return seconds that no step of the machine's clock moves, and that suspension counts in."""
    return time.clock_gettime(_UPTIME)


class SteadyClock:
    """A clock that reads another one once and counts monotonically from there.

    Deadlines are counted with it, so that a step of the machine's clock neither ends what has
    just begun nor prolongs what should end.

    Args:
        source: the clock to start from; what it raises is raised by the first reading.
        elapsed: monotonic seconds.
    """

    def __init__(self, source: Clock = system_clock, elapsed: Callable[[], float] = uptime) -> None:
        self._source = source
        self._elapsed = elapsed
        self._origin: tuple[datetime, float] | None = None

    def __call__(self) -> datetime:
        """Return the instant that the source would show if nobody had moved it since."""
        if self._origin is None:
            self._origin = self._source(), self._elapsed()
        instant, started = self._origin
        return instant + timedelta(seconds=self._elapsed() - started)

    def reset(self) -> None:
        """Read the source again at the next reading; nothing may be counting with this clock."""
        self._origin = None


@attrs.define
class ManualClock:
    """A clock that stands still until it is turned.

    Attributes:
        now: the instant that it shows, in UTC.
    """

    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Return the instant shown."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Turn the clock forward by that many seconds."""
        self.now += timedelta(seconds=seconds)

    def advance_to(self, instant: datetime) -> None:
        """Turn the clock forward to that instant; an earlier one leaves it as it is."""
        self.now = max(self.now, instant)
