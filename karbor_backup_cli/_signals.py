"""What Ctrl-C and its like mean while operations run: cancel first, then let go."""

import enum
import queue
import signal
import time
from types import FrameType, TracebackType
from typing import Any, Final, Self

_DETACHING_SIGNALS: Final = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


RELEASE_TIMEOUT: Final = 2.0
"""Seconds for which the command gives its leases back, whatever signals come meanwhile."""


class SignalRequest(enum.Enum):
    """What a person, or the system, asks of a command that waits for operations."""

    CANCEL = "cancel"
    DETACH = "let go"


class Detached(Exception):
    """The command ends although operations go on; ``resume`` goes on with them.

    Attributes:
        signum: the signal that asked for it.
    """

    def __init__(self, signum: int) -> None:
        super().__init__(signal.Signals(signum).name)
        self.signum = signum


class SignalCollector:
    r"""Collects signals between its enter and its exit; of the main thread only.

    The first Ctrl-C wishes for a cancel and the second to let go. A signal that ends processes
    (TERM, HUP) wishes to let go at once, since what sends it will not wait for a cancel. So does
    Ctrl-\ (QUIT): it is how a person leaves without cancelling.

    Whoever sends signals may send several of them at once. The command then gives its leases back
    undisturbed. Only where that has taken ``RELEASE_TIMEOUT`` seconds does one more end the process
    as if nobody had caught it, which harms nothing that is in the store.
    """

    def __init__(self) -> None:
        # A handler runs between any two instructions of the main thread. It must not wait for a
        # lock that this thread may hold, and the put of a SimpleQueue is made for that.
        self._requests: queue.SimpleQueue[tuple[SignalRequest, int]] = queue.SimpleQueue()
        self._interrupted = False
        self._detached_at: float | None = None
        self._previous_handlers: dict[int, Any] = {}

    def __enter__(self) -> Self:
        """Begin to collect."""
        for signum in (signal.SIGINT, *_DETACHING_SIGNALS):
            if signal.getsignal(signum) is not signal.SIG_IGN:
                self._previous_handlers[signum] = signal.signal(signum, self._handle_signal)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Put back what was done with signals before, unless the command is to end at once."""
        if self._detached_at is not None:
            # The rest of a burst would end the process with another status, its message unsaid.
            return
        for signum, handler in self._previous_handlers.items():
            signal.signal(signum, handler)

    def next_request(self, timeout: float = 0.0) -> tuple[SignalRequest, int] | None:
        """Return the next wish and the signal that brought it, or None for none.

        Args:
            timeout: seconds to wait for one.
        """
        try:
            return self._requests.get(timeout=timeout)
        except queue.Empty:
            return None

    def _handle_signal(self, signum: int, _: FrameType | None) -> None:
        if signum == signal.SIGINT and not self._interrupted:
            self._interrupted = True
            self._requests.put((SignalRequest.CANCEL, signum))
            return
        if self._detached_at is None:
            self._detached_at = time.monotonic()
            self._requests.put((SignalRequest.DETACH, signum))
        elif time.monotonic() - self._detached_at > RELEASE_TIMEOUT:
            signal.signal(signum, signal.SIG_DFL)
            signal.raise_signal(signum)
