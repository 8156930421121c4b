"""When the next poll of a backend is worth what it costs."""

from collections import deque
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from karbor_backup_core.model import Operation, State, Verb
from karbor_backup_core.policy import Policy

REMEMBERED: Final = 32
"""How many of the latest durations of each kind of work are gone by."""

_LATEST: Final = 5
"""How many of the latest polls tell what a poll costs."""

EARLY: Final = 0.9
"""The earliest that work can be expected to end, as a share of the shortest recent duration."""

_Kind: TypeAlias = tuple[Verb, str, int, bool]

_NO_TIME: Final = timedelta()


class Pace:
    """Chooses the time between two polls, by how long the work of each kind has been taking.

    A poll is worth making as soon as it can be expected to find ``policy.poll_ends`` operations
    ended, or ``policy.poll_share`` of the time has gone that the work takes; not before any of it
    can have ended, and not so often that the polls take more than ``policy.poll_load`` of the time.
    Work is taken to last as long as its kind usually does, and at least as long as it has gone on.

    Args:
        policy: the bounds.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._durations: dict[_Kind, deque[timedelta]] = {}
        self._took: deque[timedelta] = deque([_NO_TIME], maxlen=_LATEST)

    def took(self, duration: timedelta) -> None:
        """Hear how long a poll took: that is what it costs."""
        self._took.append(duration)

    def ended(self, operation: Operation, now: datetime) -> None:
        """Hear of work that a poll has found ended, by the operation as it was before."""
        kept = self._durations.setdefault(_kind(operation), deque(maxlen=REMEMBERED))
        kept.append(_age(operation, now))

    def pause(self, operations: Collection[Operation], now: datetime) -> timedelta:
        """How long to wait before these operations are polled for."""
        known = {kind: _usual(durations) for kind, durations in self._durations.items()}
        rate = 0.0
        patience = first_end = self._policy.poll_limit
        for operation in operations:
            age = _age(operation, now)
            shortest, median = known.get(_kind(operation), (_NO_TIME, age))
            whole = max(median, age, self._policy.poll_first)
            rate += 1 / whole.total_seconds()
            patience = min(patience, whole * self._policy.poll_share)
            first_end = min(first_end, shortest * EARLY - age)
        cost = _middle(self._took)
        worth = min(patience, timedelta(seconds=self._policy.poll_ends / rate))
        slowest = max(worth, first_end, cost / self._policy.poll_load)
        return min(max(slowest, self._policy.poll_first), self._policy.poll_limit)


def _kind(operation: Operation) -> _Kind:
    """What is expected to take equally long."""
    releasing = operation.state is State.RELEASING
    return operation.verb, operation.resource.type, operation.phase, releasing


def _age(operation: Operation, now: datetime) -> timedelta:
    return now - (operation.submitted_at or operation.created_at)


def _usual(durations: Collection[timedelta]) -> tuple[timedelta, timedelta]:
    """The shortest of the durations, and the one in the middle."""
    return min(durations), _middle(durations)


def _middle(durations: Collection[timedelta]) -> timedelta:
    from statistics import median_low

    return median_low(durations)
