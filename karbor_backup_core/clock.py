"""What time it is: a plain callable, so that tests can turn it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import attrs

Clock: TypeAlias = Callable[[], datetime]
"""Answers the present instant, in UTC. The core asks nothing else for the time."""


def system_clock() -> datetime:
    """Answer the machine's time, in UTC."""
    return datetime.now(UTC)


@attrs.define
class ManualClock:
    """A clock that stands still until it is turned.

    Attributes:
        now: the instant that it shows, in UTC.
    """

    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Answer the instant shown."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Turn the clock forward by that many seconds."""
        self.now += timedelta(seconds=seconds)

    def advance_to(self, instant: datetime) -> None:
        """Turn the clock forward to that instant; an earlier one leaves it as it is."""
        self.now = max(self.now, instant)
