"""Indexes of the fake cloud: a request costs the same however many entries there are.

An index is a mapping by id: each entry is indexed when it is set.
"""

import heapq
import itertools
from collections import Counter, UserDict
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol, TypeVar

from karbor_backup_fake._model import Asset, Copy, Job, JobState


class Tagged(Protocol):
    """What carries the tag of the operation that it was made for."""

    @property
    def operation(self) -> str:
        """The tag; empty for what a user made."""


T = TypeVar("T", bound=Tagged)
W = TypeVar("W", bound=Asset | Copy)


class OperationIndex(UserDict[str, T]):
    """Things by id, found by their operation too."""

    def __init__(self, things: Mapping[str, T] | None = None) -> None:
        # Before the mapping itself, which the constructor fills.
        self._by_operation: dict[str, dict[str, None]] = {}
        super().__init__(things or {})

    def __setitem__(self, key: str, thing: T) -> None:
        before = self.data.get(key)
        self.data[key] = thing
        if before is not None:
            if before.operation == thing.operation:
                return
            self._remove_operation(key, before)
        self._by_operation.setdefault(thing.operation, {})[key] = None

    def __delitem__(self, key: str) -> None:
        self._remove_operation(key, self.data[key])
        super().__delitem__(key)

    def ids_made_by(self, operation: str) -> list[str]:
        """Return the ids of what carries an operation's tag, the oldest first."""
        return list(self._by_operation.get(operation, ()))

    def _remove_operation(self, key: str, thing: T) -> None:
        ids = self._by_operation[thing.operation]
        del ids[key]
        if not ids:
            del self._by_operation[thing.operation]


class NestedIndex(OperationIndex[W]):
    """Resources, or copies of them, of which one may be inside another."""

    def __init__(self, things: Mapping[str, W] | None = None) -> None:
        self._member_counts: Counter[str] = Counter()
        super().__init__(things or {})

    def __setitem__(self, key: str, thing: W) -> None:
        before = self.data.get(key)
        super().__setitem__(key, thing)
        if before is not None:
            if before.members == thing.members:
                return
            self._remove_members(before)
        for member in thing.members:
            self._member_counts[member] += 1

    def __delitem__(self, key: str) -> None:
        before = self.data[key]
        super().__delitem__(key)
        self._remove_members(before)

    def contains_member(self, key: str) -> bool:
        """Return whether an entry of this index has that member."""
        return key in self._member_counts

    def _remove_members(self, thing: W) -> None:
        for member in thing.members:
            self._member_counts[member] -= 1
            if not self._member_counts[member]:
                del self._member_counts[member]


class JobIndex(OperationIndex[Job]):
    """Jobs, of which those are found whose time is up, and those that wait.

    Attributes:
        running: the ids of the jobs that run.
        queued: the ids of the jobs that wait, in their order.
    """

    def __init__(self, things: Mapping[str, Job] | None = None) -> None:
        self._ends: list[tuple[datetime, int, str]] = []
        self._sequence = itertools.count()
        self.running: set[str] = set()
        self.queued: dict[str, None] = {}
        super().__init__(things or {})

    def __setitem__(self, key: str, job: Job) -> None:
        super().__setitem__(key, job)
        self._forget_state(key)
        if job.state is JobState.RUNNING:
            self.running.add(key)
        elif job.state is JobState.QUEUED:
            self.queued[key] = None
        if job.state is JobState.RUNNING and job.ends_at is not None:
            heapq.heappush(self._ends, (job.ends_at, next(self._sequence), key))

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        self._forget_state(key)

    def _forget_state(self, key: str) -> None:
        self.running.discard(key)
        self.queued.pop(key, None)

    def pop_due(self, now: datetime) -> list[Job]:
        """Return each running job whose time is up once, in the order of their ends."""
        due: dict[str, Job] = {}
        while self._ends and self._ends[0][0] <= now:
            ends_at, _, key = heapq.heappop(self._ends)
            job = self.data.get(key)
            if job is not None and job.state is JobState.RUNNING and job.ends_at == ends_at:
                due[key] = job
        return list(due.values())
