"""The operations that a runner drives, and the futures of those who wait for their ends."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence

from karbor_backup_core._errors import Conflict, RunnerClosed
from karbor_backup_core._execution.operation_future import OperationFuture
from karbor_backup_core._model import Operation


class ActiveOperations:
    """Keeps the last stored version of each operation, until it finishes or fails.

    Args:
        on_removed: is called with each operation that has finished or failed.
    """

    def __init__(self, on_removed: Callable[[Operation], object] = lambda _: None) -> None:
        self._on_removed = on_removed
        self._lock = threading.Lock()
        self._operations: dict[str, Operation] = {}
        self._futures: dict[str, OperationFuture] = {}
        self._lost: dict[str, BaseException] = {}
        self._reserved: set[str] = set()
        self._closed = False

    def __contains__(self, operation_id: str) -> bool:
        return operation_id in self._operations

    def __bool__(self) -> bool:
        return bool(self._operations)

    def ids(self) -> list[str]:
        """Return the ids of all active operations."""
        with self._lock:
            return list(self._operations)

    @contextlib.contextmanager
    def reserve(self, operation_id: str) -> Iterator[None]:
        """Keep other threads from starting this operation meanwhile.

        A repeated write takes the operation for its own if this process owns it, so that two
        threads that start the same one would both drive it.

        Raises:
            Conflict: another thread of this process is starting it.
        """
        with self._lock:
            if operation_id in self._reserved:
                raise Conflict(f"operation {operation_id} is being started by another thread")
            self._reserved.add(operation_id)
        try:
            yield
        finally:
            with self._lock:
                self._reserved.discard(operation_id)

    def register(self, operation: Operation) -> OperationFuture:
        """Add an operation; an earlier failure of it is discarded.

        Raises:
            RunnerClosed: no operation can be added any more.
        """
        with self._lock:
            if self._closed:
                raise runner_closed(operation.id)
            self._operations[operation.id] = operation
            self._lost.pop(operation.id, None)
            return self._futures.setdefault(operation.id, OperationFuture(operation))

    def update(self, operation: Operation) -> None:
        """Replace an active operation by its newly stored version; ignore others."""
        with self._lock:
            if operation.id in self._operations:
                self._operations[operation.id] = operation
                self._lost.pop(operation.id, None)

    def future(self, operation_id: str) -> OperationFuture | None:
        """Return the future of an active operation; None if it is not active.

        Raises:
            BaseException: why the operation failed, or why it cannot continue for now.
        """
        with self._lock:
            if operation_id in self._lost:
                raise self._lost[operation_id]
            operation = self._operations.get(operation_id)
            if operation is None:
                return None
            return self._futures.setdefault(operation_id, OperationFuture(operation))

    def finish(self, operation: Operation) -> None:
        """Remove an operation that has finished, and wake its waiters."""
        with self._lock:
            self._operations.pop(operation.id, None)
            self._lost.pop(operation.id, None)
            future = self._futures.pop(operation.id, None)
        self._on_removed(operation)
        if future is not None:
            future.set_result(operation)

    def fail(self, operation_id: str, error: BaseException) -> Operation | None:
        """Remove an operation and wake its waiters with an error.

        Returns:
            The operation as it was stored last; None if it was not active.
        """
        with self._lock:
            lost = self._operations.pop(operation_id, None)
            self._lost[operation_id] = error
            future = self._futures.pop(operation_id, None)
        if lost is not None:
            self._on_removed(lost)
        if future is not None:
            future.set_exception(error)
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
            future = self._futures.pop(operation_id, None)
        if future is not None:
            future.set_exception(error)
        return held

    def close(self) -> Sequence[Operation]:
        """Remove all operations and return them; accept no more. Waiters wake with ``wake_all``."""
        with self._lock:
            self._closed = True
            held, self._operations = list(self._operations.values()), {}
        return held

    def wake_all(self) -> None:
        """Wake the waiters of all operations that were not finished when the runner closed."""
        with self._lock:
            futures, self._futures = self._futures, {}
        for operation_id, future in futures.items():
            future.set_exception(runner_closed(operation_id))


def runner_closed(operation_id: str) -> RunnerClosed:
    """Create the error of an operation whose runner is closed."""
    return RunnerClosed(
        f"operation {operation_id} is not driven here any more, because the runner is closed: "
        "resume it with another one"
    )
