"""The threads that make the calls, and the one queue of what waits for them."""

import concurrent.futures
import contextlib
import threading
from collections import deque
from collections.abc import Callable

from karbor_backup_core.model import Operation


class Crew:
    """Advances operations, several at once; no thread is started before the first one.

    What waits for a thread is the bare operation, since there may be tens of thousands.

    Args:
        threads: how many are advanced at once.
        advance: does what can be done for an operation now; it raises nothing.
    """

    def __init__(self, threads: int, advance: Callable[[Operation], None]) -> None:
        self._advance = advance
        self._lock = threading.Lock()
        self._waiting: deque[Operation] = deque()
        self._idle = threads
        self._pool = concurrent.futures.ThreadPoolExecutor(threads, "karbor-backup-call")

    def add(self, operation: Operation) -> None:
        """Advance an operation as soon as a thread is free; after ``close`` never."""
        with self._lock:
            self._waiting.append(operation)
            if not self._idle:
                return
            self._idle -= 1
        with contextlib.suppress(RuntimeError):  # it is closed
            self._pool.submit(self._work)

    def close(self) -> None:
        """Finish what is being advanced, and begin no more."""
        with self._lock:
            self._waiting.clear()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._waiting.clear()

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._idle += 1
                    return
                operation = self._waiting.popleft()
            self._advance(operation)
