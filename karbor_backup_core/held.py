"""The operations that a runner drives, and who waits for their ends."""

import threading
from collections.abc import Sequence

import attrs

from karbor_backup_core.model import Operation


@attrs.define(eq=False)
class _End:
    """What somebody waits for.

    Attributes:
        come: set when nothing more happens to the operation here.
        operation: as it was stored last; None when it was lost or let go of.
    """

    come: threading.Event = attrs.field(factory=threading.Event)
    operation: Operation | None = None


class Held:
    """Remembers each operation as it was stored last, until it is finished or lost."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._operations: dict[str, Operation] = {}
        self._ends: dict[str, _End] = {}
        self._lost: dict[str, BaseException] = {}

    def __contains__(self, operation_id: str) -> bool:
        return operation_id in self._operations

    def __bool__(self) -> bool:
        return bool(self._operations)

    def add(self, operation: Operation) -> None:
        """Begin to hold an operation; what was lost of it before is forgotten."""
        with self._lock:
            self._operations[operation.id] = operation
            self._lost.pop(operation.id, None)

    def renew(self, operation: Operation) -> None:
        """Take an operation that is held as it is stored now; others stay unknown."""
        with self._lock:
            if operation.id in self._operations:
                self._operations[operation.id] = operation

    def drop(self, operation: Operation) -> None:
        """Hold an operation no more, because it is finished."""
        self._drop(operation.id, operation)

    def lose(self, operation_id: str, error: BaseException) -> None:
        """Hold an operation no more, because it could not be gone on with."""
        with self._lock:
            self._lost[operation_id] = error
        self._drop(operation_id, None)

    def wait(self, operation_id: str, timeout: float | None) -> Operation | None:
        """Wait until an operation is not held any more, for so many seconds at most.

        Returns:
            How it finished; None if it has not, or was not held.

        Raises:
            BaseException: why it was lost.
        """
        with self._lock:
            held = operation_id in self._operations
            end = self._ends.setdefault(operation_id, _End()) if held else None
        if end is not None:
            end.come.wait(timeout)
        with self._lock:
            if operation_id in self._lost:
                raise self._lost[operation_id]
        return None if end is None else end.operation

    def clear(self) -> Sequence[Operation]:
        """Hold nothing any more; answer what was held. Who waits goes on after ``tell_all``."""
        with self._lock:
            held, self._operations = list(self._operations.values()), {}
        return held

    def tell_all(self) -> None:
        """Let everybody go on who waits."""
        with self._lock:
            ends, self._ends = list(self._ends.values()), {}
        for end in ends:
            end.come.set()

    def _drop(self, operation_id: str, finished: Operation | None) -> None:
        with self._lock:
            self._operations.pop(operation_id, None)
            end = self._ends.pop(operation_id, None)
        if end is not None:
            end.operation = finished
            end.come.set()
