"""The operations that a runner drives, and the threads that wait for them."""

import threading
from collections.abc import Sequence

import attrs

from karbor_backup_core._model import Operation


@attrs.define(eq=False)
class _Completion:
    """The completion of one operation, which threads wait for.

    Attributes:
        reached: set when the operation has finished or failed here, or cannot continue for now.
        operation: the operation as it was stored last; None when it failed or was released.
        error: why the operation does not continue, as known when that was decided.
    """

    reached: threading.Event = attrs.field(factory=threading.Event)
    operation: Operation | None = None
    error: BaseException | None = None


class ActiveOperations:
    """Keeps the last stored version of each operation, until it finishes or fails."""

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
        """Return the ids of all active operations."""
        with self._lock:
            return list(self._operations)

    def register(self, operation: Operation) -> None:
        """Add an operation; an earlier failure of it is discarded."""
        with self._lock:
            self._operations[operation.id] = operation
            self._lost.pop(operation.id, None)

    def update(self, operation: Operation) -> None:
        """Replace an active operation by its newly stored version; ignore others."""
        with self._lock:
            if operation.id in self._operations:
                self._operations[operation.id] = operation
                self._lost.pop(operation.id, None)

    def finish(self, operation: Operation) -> None:
        """Remove an operation that has finished, and wake its waiters."""
        self._remove(operation.id, operation)

    def fail(self, operation_id: str, error: BaseException) -> Operation | None:
        """Remove an operation and wake its waiters with an error.

        Returns:
            The operation as it was stored last; None if it was not active.
        """
        with self._lock:
            lost = self._operations.get(operation_id)
            self._lost[operation_id] = error
        self._remove(operation_id, None, error)
        return lost

    def fail_waiters(self, operation_id: str, error: BaseException) -> Operation | None:
        """Wake the waiters of an operation with an error, but keep it active.

        Returns:
            The operation as it was stored last; None if it is not active or has such an error
            already.
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
        """Wait until an operation is not active any more, for ``timeout`` seconds at most.

        Returns:
            The finished operation; None if it has not finished in time, or was not active.

        Raises:
            BaseException: why the operation failed, or why it cannot continue for now.
        """
        with self._lock:
            waits = operation_id in self._operations and operation_id not in self._lost
            end = self._ends.setdefault(operation_id, _Completion()) if waits else None
        if end is not None:
            end.reached.wait(timeout)
            # The cause may have passed before this thread was woken.
            if end.error is not None:
                raise end.error
            return end.operation
        with self._lock:
            if operation_id in self._lost:
                raise self._lost[operation_id]
        return None

    def clear(self) -> Sequence[Operation]:
        """Remove all operations and return them. Their waiters wake with ``wake_all``."""
        with self._lock:
            held, self._operations = list(self._operations.values()), {}
        return held

    def wake_all(self) -> None:
        """Wake all waiters."""
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
