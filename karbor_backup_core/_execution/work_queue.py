"""The operations that wait until fewer are under way than their backend works on at once."""

import itertools
import threading
from collections.abc import Callable, Mapping

import attrs

from karbor_backup_core._model import Operation


class WorkQueue:
    """Admits operations of backends that declare a limit, first come first served.

    An operation is under way from its admission until it leaves: its release may begin work, too.

    Args:
        limits: per configured name of a backend that declares one, how many may be under way.
        on_room: is called with the id of each operation that had to wait and is admitted now.
    """

    def __init__(self, limits: Mapping[str, int], on_room: Callable[[str], object]) -> None:
        self._lock = threading.Lock()
        self._lanes = {name: _Lane(limit) for name, limit in limits.items()}
        self._on_room = on_room

    def limit(self, operation: Operation) -> int | None:
        """Return how many operations of an operation's backend may be under way at once."""
        lane = self._lanes.get(operation.backend)
        return None if lane is None else lane.limit

    def admit(self, operation: Operation) -> bool:
        """Return whether an operation may begin; otherwise it has its place among those that wait.

        One that was admitted already, or begun by another process, is not counted twice.
        """
        lane = self._lanes.get(operation.backend)
        if lane is None:
            return True
        with self._lock:
            return lane.admit(operation.id)

    def count(self, operation: Operation) -> None:
        """Count an operation that is under way already, also beyond the limit."""
        lane = self._lanes.get(operation.backend)
        if lane is not None:
            with self._lock:
                lane.under_way.add(operation.id)

    def is_admitted(self, operation: Operation) -> bool:
        """Return whether an operation counts as under way."""
        lane = self._lanes.get(operation.backend)
        with self._lock:
            return lane is None or operation.id in lane.under_way

    def leave(self, operation: Operation) -> None:
        """Count an operation no more, and admit those that there is room for now."""
        lane = self._lanes.get(operation.backend)
        if lane is None:
            return
        with self._lock:
            admitted = lane.leave(operation.id)
        for operation_id in admitted:
            self._on_room(operation_id)


@attrs.define
class _Lane:
    """One backend's operations.

    Attributes:
        limit: how many may be under way.
        under_way: the ids of those that are.
        waiting: the ids of those that wait, in their order; none does while there is room.
    """

    limit: int
    under_way: set[str] = attrs.field(factory=set)
    waiting: dict[str, None] = attrs.field(factory=dict)

    def admit(self, operation_id: str) -> bool:
        if operation_id in self.under_way:
            return True
        if len(self.under_way) < self.limit:
            self.under_way.add(operation_id)
            return True
        self.waiting.setdefault(operation_id)
        return False

    def leave(self, operation_id: str) -> list[str]:
        """Remove an operation, and return those that are admitted instead."""
        self.under_way.discard(operation_id)
        self.waiting.pop(operation_id, None)
        admitted = list(itertools.islice(self.waiting, max(0, self.limit - len(self.under_way))))
        for each in admitted:
            del self.waiting[each]
            self.under_way.add(each)
        return admitted
