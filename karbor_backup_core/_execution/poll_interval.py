"""The interval between polls of a backend, from recent durations and the cost of a poll."""

import bisect
import heapq
from collections import deque
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from karbor_backup_core._lifecycle.policy import Policy
from karbor_backup_core._model import Operation, State, Verb

DURATIONS_KEPT: Final = 32
"""How many of the latest durations of each kind of work are gone by."""

_POLL_COSTS_KEPT: Final = 12
"""How many of the latest polls tell what a poll costs."""

EARLIEST_COMPLETION: Final = 0.9
"""The earliest that work can be expected to end, as a share of the shortest recent duration."""

_OVERDUE_SHARE: Final = 0.1
"""How much longer work is taken to go on that has lasted longer than all before, of its time."""

_WorkKind: TypeAlias = tuple[Verb, str, int, bool]


class PollInterval:
    """Chooses the delay before the next poll from the recent durations of each kind of work.

    The next poll is due as soon as ``policy.poll_ends`` operations are expected to have ended, or
    ``policy.poll_share`` of the expected duration has passed; not before any operation can have
    ended, and not so often that polls take more than ``policy.poll_load`` of the time. Work is
    expected to end at the next longer one of the recent durations of its kind; without such a
    duration, at any moment until it has taken twice the time that it has taken so far.

    Args:
        policy: the bounds.
    """

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._durations: dict[_WorkKind, deque[float]] = {}
        self._poll_costs: deque[float] = deque(maxlen=_POLL_COSTS_KEPT)

    def record_poll(self, duration: timedelta) -> None:
        """Record the duration of a poll, which is its cost."""
        self._poll_costs.append(duration.total_seconds())

    def record_completion(self, operation: Operation, now: datetime) -> None:
        """Record the duration of work that a poll has found ended."""
        kept = self._durations.setdefault(_work_kind(operation), deque(maxlen=DURATIONS_KEPT))
        kept.append(_elapsed_seconds(operation, now))

    def next_delay(self, operations: Collection[Operation], now: datetime) -> timedelta:
        """Return the delay before the next poll for these operations."""
        policy = self._policy
        first, limit = policy.poll_first.total_seconds(), policy.poll_limit.total_seconds()
        known = {kind: sorted(durations) for kind, durations in self._durations.items()}
        patience = first_end = limit
        left: list[float] = []
        rate = 0.0
        for operation in operations:
            age = _elapsed_seconds(operation, now)
            durations = known.get(_work_kind(operation))
            whole = max(age, first)
            if durations is None:
                rate += 1 / whole
                first_end = 0.0
            else:
                whole = max(durations[len(durations) // 2], whole)
                longer = bisect.bisect_right(durations, age)
                ends = durations[longer] if longer < len(durations) else age + age * _OVERDUE_SHARE
                left.append(ends - age)
                first_end = min(first_end, durations[0] * EARLIEST_COMPLETION - age)
            patience = min(patience, whole * policy.poll_share)
        soon = policy.poll_ends / rate if rate else limit
        if len(left) >= policy.poll_ends:
            soon = min(soon, heapq.nsmallest(policy.poll_ends, left)[-1])
        slowest = max(min(patience, soon), first_end, self._poll_cost() / policy.poll_load)
        return timedelta(seconds=min(max(slowest, first), limit))

    def _poll_cost(self) -> float:
        """Return the cost of a poll in seconds: the rest of a longer one was spent in the queue."""
        return min(self._poll_costs, default=0.0)


def _work_kind(operation: Operation) -> _WorkKind:
    """Return the key of work that is expected to take equally long."""
    releasing = operation.state is State.RELEASING
    return operation.verb, operation.resource.type, operation.phase, releasing


def _elapsed_seconds(operation: Operation, now: datetime) -> float:
    """Return the seconds since the work was started."""
    return (now - (operation.submitted_at or operation.created_at)).total_seconds()
