"""The operations that a runner drives, and who waits for their ends."""

import threading
from collections.abc import Sequence

import attrs

from karbor_backup_core._model import Operation


@attrs.define(eq=False)
class _Completion:
    """What somebody waits for.

    Attributes:
        reached: set when nothing more happens to the operation here, or nothing can for now.
        operation: as it was stored last; None when it was lost or let go of.
        error: why nothing more happens to it, at the time when that came about.
    """

    reached: threading.Event = attrs.field(factory=threading.Event)
    operation: Operation | None = None
    error: BaseException | None = None


class ActiveOperations:
    """Remembers each operation as it was stored last, until it is finished or lost."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._operations: dict[str, Operation] = {}
        self._ends: dict[str, _Completion] = {}
        self._lost: dict[str, BaseException] = {}

    def __contains__(self, operation_id: str) -> bool:
        return operation_id in self._operations

    def __bool__(self) -> bool:
        return bool(self._operations)

    def ids(self) -> list[str]:
        """Return the ids of all operations that are held."""
        with self._lock:
            return list(self._operations)

    def register(self, operation: Operation) -> None:
        """Begin to hold an operation; what was lost of it before is forgotten."""
        with self._lock:
            self._operations[operation.id] = operation
            self._lost.pop(operation.id, None)

    def update(self, operation: Operation) -> None:
        """Take an operation that is held as it is stored now; others stay unknown."""
        with self._lock:
            if operation.id in self._operations:
                self._operations[operation.id] = operation
                self._lost.pop(operation.id, None)

    def finish(self, operation: Operation) -> None:
        """Hold an operation no more, because it is finished."""
        self._remove(operation.id, operation)

    def fail(self, operation_id: str, error: BaseException) -> Operation | None:
        """Drop an operation and wake its waiters with an error.

        Returns:
            The operation as it was stored last; None if it was not held.
        """
        with self._lock:
            lost = self._operations.get(operation_id)
            self._lost[operation_id] = error
        self._remove(operation_id, None, error)
        return lost

    def fail_waiters(self, operation_id: str, error: BaseException) -> Operation | None:
        """Wake the waiters of an operation with an error, but keep holding it.

        Returns:
            The operation as it was stored last; None if it is not held or that has been done.
        """
        with self._lock:
            held = self._operations.get(operation_id)
            if held is None or operation_id in self._lost:
                return None
            self._lost[operation_id] = error
            end = self._ends.pop(operation_id, None)
        if end is not None:
            end.error = error
            end.reached.set()
        return held

    def wait(self, operation_id: str, timeout: float | None) -> Operation | None:
        """Wait until an operation is not held any more, for so many seconds at most.

        Returns:
            How it finished; None if it has not, or was not held.

        Raises:
            BaseException: why it was lost, or why nothing can be done for it for now.
        """
        with self._lock:
            waits = operation_id in self._operations and operation_id not in self._lost
            end = self._ends.setdefault(operation_id, _Completion()) if waits else None
        if end is not None:
            end.reached.wait(timeout)
            # What kept it from going on may have passed before this thread was woken.
            if end.error is not None:
                raise end.error
            return end.operation
        with self._lock:
            if operation_id in self._lost:
                raise self._lost[operation_id]
        return None

    def clear(self) -> Sequence[Operation]:
        """Hold nothing any more; answer what was held. Who waits goes on after ``tell_all``."""
        with self._lock:
            held, self._operations = list(self._operations.values()), {}
        return held

    def wake_all(self) -> None:
        """Let everybody go on who waits."""
        with self._lock:
            ends, self._ends = list(self._ends.values()), {}
        for end in ends:
            end.reached.set()

    def _remove(
        self,
        operation_id: str,
        finished: Operation | None,
        error: BaseException | None = None,
    ) -> None:
        with self._lock:
            self._operations.pop(operation_id, None)
            if finished is not None:
                self._lost.pop(operation_id, None)
            end = self._ends.pop(operation_id, None)
        if end is not None:
            end.operation = finished
            end.error = error
            end.reached.set()
