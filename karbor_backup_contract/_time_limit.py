"""A limit of time for what may hang: a rule, and what removes its remains."""

import contextlib
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Final

from karbor_backup_contract._violation import RuleViolation

# Nobody else sends it: pytest-timeout uses SIGALRM, and debuggers and profilers the others.
_SIGNAL: Final = signal.SIGURG
_REPEAT_SECONDS: Final = 1.0


class _TimeIsOver(BaseException):
    """Passes through the ``except Exception`` of a backend that hangs."""


@contextlib.contextmanager
def limit_time(seconds: float, granted: Callable[[], float] = lambda: 0.0) -> Iterator[None]:
    """Stop what runs inside when it is not over in time. Outside the main thread it is not stopped.

    A signal does it, so that a wait in the system is stopped as well. It is sent again each
    second, since what hangs may catch what it raises.

    Args:
        seconds: how long it may take.
        granted: returns how many seconds it may take beyond that, as known by now.

    Raises:
        RuleViolation: it was not over; the message says where it was.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    over = threading.Event()
    places: list[str] = []

    def stop(_number: int, frame: FrameType | None) -> None:
        if not over.is_set():
            places.append(_describe_place(frame))
            raise _TimeIsOver

    def watch(thread: int) -> None:
        pause, used = seconds, 0.0
        while not over.wait(pause):
            more = granted() - used
            if more > 0:
                pause, used = more, used + more
                continue
            signal.pthread_kill(thread, _SIGNAL)
            pause = _REPEAT_SECONDS

    previous = signal.signal(_SIGNAL, stop)
    watcher = threading.Thread(
        target=watch, args=[threading.get_ident()], name="contract time limit", daemon=True
    )
    watcher.start()
    try:
        yield
    except _TimeIsOver:
        raise RuleViolation(f"it was not over after {seconds:g} s, {places[0]}") from None
    finally:
        over.set()
        watcher.join()
        signal.signal(_SIGNAL, previous)


def _describe_place(frame: FrameType | None) -> str:
    """Return in which line a thread is, and from which line of a rule."""
    stack = traceback.extract_stack(frame)
    inner = stack[-1]
    return f"in {inner.name} ({inner.filename}, line {inner.lineno}: {inner.line})"
