"""The threads that make the calls, and their queue."""

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

    The queue holds bare items, since there may be tens of thousands, and a thread goes on with the
    next one: a future for each costs some 5 % of the processor time of an operation.

    Args:
        threads: how many are advanced at once.
        advance: advances one item as far as possible now; an exception of it is logged.
    """

    def __init__(self, threads: int, advance: Callable[[T], None]) -> None:
        self._advance = advance
        self._lock = threading.Lock()
        self._waiting: deque[T] = deque()
        self._idle = threads
        self._closed = False
        self._pool = concurrent.futures.ThreadPoolExecutor(threads, "karbor-backup-call")

    def submit(self, item: T) -> None:
        """Queue an item for the next free thread; after ``close`` do nothing.

        Raises:
            RuntimeError: no thread can be started; the item waits for the existing threads.
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
        """Finish the items being advanced, and start no more."""
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
