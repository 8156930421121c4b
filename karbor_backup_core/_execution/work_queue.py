"""The operations that wait until fewer are under way than their backend works on at once."""

import itertools
import threading
from collections.abc import Callable


class WorkQueue:
    """Admits the operations of one backend, first come first served.

    An operation is under way from its admission until it leaves: its release may begin work, too.

    Args:
        limit: how many may be under way.
        on_room: is called with the id of each operation that had to wait and is admitted now.

    Attributes:
        limit: how many may be under way.
    """

    def __init__(self, limit: int, on_room: Callable[[str], object]) -> None:
        self.limit = limit
        self._on_room = on_room
        self._lock = threading.Lock()
        self._under_way: set[str] = set()
        self._waiting: dict[str, None] = {}

    def admit(self, operation_id: str) -> bool:
        """Return whether an operation may begin; otherwise it has its place among those that wait.

        One that was admitted already, or begun by another process, is not counted twice.
        """
        with self._lock:
            if operation_id not in self._under_way:
                if len(self._under_way) >= self.limit:
                    self._waiting.setdefault(operation_id)
                    return False
                self._under_way.add(operation_id)
            return True

    def count(self, operation_id: str) -> None:
        """Count an operation that is under way already, also beyond the limit."""
        with self._lock:
            self._under_way.add(operation_id)

    def is_admitted(self, operation_id: str) -> bool:
        """Return whether an operation counts as under way."""
        with self._lock:
            return operation_id in self._under_way

    def leave(self, operation_id: str) -> None:
        """Count an operation no more, and admit those that there is room for now."""
        with self._lock:
            self._under_way.discard(operation_id)
            self._waiting.pop(operation_id, None)
            room = max(0, self.limit - len(self._under_way))
            admitted = list(itertools.islice(self._waiting, room))
            for each in admitted:
                del self._waiting[each]
                self._under_way.add(each)
        for each in admitted:
            self._on_room(each)
