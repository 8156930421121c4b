"""Calls functions after a delay, from one thread."""

import functools
import logging
import sched
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

_log = logging.getLogger("karbor_backup.runner")

_MAX_WAIT: Final = 3600.0
"""Seconds; ``threading`` refuses to wait for more than some hundred years."""


class Timer:
    """A schedule of calls; the first entry starts its thread.

    Delays are monotonic, so that a step of the machine's clock does not change them. The called
    function must be quick; an exception of it is logged and affects no other entry.
    """

    def __init__(self) -> None:
        self._scheduler = sched.scheduler(time.monotonic)
        self._changed = threading.Event()
        self._closed = False
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def schedule(self, delay: timedelta, action: Callable[[], object]) -> sched.Event:
        """Call the action once, after that delay; at once where it is negative."""
        event = self._scheduler.enter(
            max(0.0, delay.total_seconds()), 0, functools.partial(_call_and_log, action)
        )
        with self._lock:
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(
                    target=self._run, name="karbor-backup-timer", daemon=True
                )
                self._thread.start()
        self._changed.set()
        return event

    def cancel(self, event: sched.Event) -> bool:
        """Remove an entry; return whether it was still scheduled."""
        try:
            self._scheduler.cancel(event)
        except ValueError:
            return False
        return True

    def close(self) -> None:
        """Drop all entries, and end the thread."""
        with self._lock:
            self._closed = True
            thread, self._thread = self._thread, None
        self._changed.set()
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _run(self) -> None:
        while not self._closed:
            self._changed.clear()
            delay = self._scheduler.run(blocking=False)
            self._changed.wait(_MAX_WAIT if delay is None else min(delay, _MAX_WAIT))


def _call_and_log(action: Callable[[], object]) -> None:
    try:
        action()
    except BaseException:  # noqa: BLE001 - this thread serves all operations
        _log.exception("something that was due could not be done")
