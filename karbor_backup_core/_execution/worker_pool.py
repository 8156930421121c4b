"""The threads that make the calls, and the one queue of what waits for them."""

import concurrent.futures
import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

_log = logging.getLogger("karbor_backup.runner")


class WorkerPool(Generic[T]):
    """Advances operations, several at once; no thread is started before the first one.

    What waits for a thread is the bare operation, since there may be tens of thousands.

    Args:
        threads: how many are advanced at once.
        advance: does what can be done for one item now; what it raises is logged.
    """

    def __init__(self, threads: int, advance: Callable[[T], None]) -> None:
        self._advance = advance
        self._lock = threading.Lock()
        self._waiting: deque[T] = deque()
        self._idle = threads
        self._closed = False
        self._pool = concurrent.futures.ThreadPoolExecutor(threads, "karbor-backup-call")

    def submit(self, item: T) -> None:
        """Advance an item as soon as a thread is free; after ``close`` never.

        Raises:
            RuntimeError: no thread can be started; the item waits for those that there are.
        """
        with self._lock:
            if self._closed:
                return
            self._waiting.append(item)
            if not self._idle:
                return
            self._idle -= 1
        try:
            self._pool.submit(self._run_worker)
        except RuntimeError:
            with self._lock:
                self._idle += 1
                if self._closed:
                    return
            raise

    def close(self) -> None:
        """Finish what is being advanced, and begin no more."""
        with self._lock:
            self._closed = True
            self._waiting.clear()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run_worker(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._idle += 1
                    return
                item = self._waiting.popleft()
            try:
                self._advance(item)
            except BaseException:  # noqa: BLE001 - the thread goes on with the others
                _log.exception("an operation could not be advanced")
