"""The future of an operation: what a program holds while the operation runs."""

import concurrent.futures
import math
from collections.abc import Generator
from typing import Any

from karbor_backup_core._errors import InvalidInput
from karbor_backup_core._model import Operation


class OperationFuture(concurrent.futures.Future[Operation]):
    """A future whose result is the operation once it is finished: released, or suspended.

    A failure of the work is a result, not an exception. ``exception`` is set where the runner
    cannot drive the operation any more: ``Conflict`` when another process has taken it over,
    ``StoreError`` when the store was not usable for as long as a lease lasts, ``RunnerClosed``
    when the runner was closed first, or whatever else a hook or a listener raised. After a
    ``StoreError`` the runner goes on with the operation when the store is back, and
    ``Runner.future`` returns another future for it.

    It can be awaited in a coroutine. ``cancel`` has no effect and returns False, also where a task
    that awaits it is cancelled: ``Runner.cancel`` requests a cancel. Functions given to
    ``add_done_callback`` run in a thread of the runner and should return soon.

    Attributes:
        operation: the operation as it was stored when the future was made.
    """

    def __init__(self, operation: Operation) -> None:
        super().__init__()
        self.operation = operation
        # A future that is not running could be cancelled by the one who waits.
        self.set_running_or_notify_cancel()

    @property
    def id(self) -> str:
        """The id of the operation."""
        return self.operation.id

    def result(self, timeout: float | None = None) -> Operation:
        """Wait for the end of the operation.

        Args:
            timeout: seconds to wait at most; None waits for the end.

        Raises:
            InvalidInput: the timeout is no number of seconds.
            TimeoutError: it is not finished yet; it goes on.
            BaseException: see the class.
        """
        if timeout is not None and (not isinstance(timeout, int | float) or math.isnan(timeout)):
            raise InvalidInput(f"timeout {timeout!r}: give a number of seconds, or None")
        try:
            return super().result(timeout)
        except TimeoutError:
            if self.done():
                raise
            raise TimeoutError(
                f"operation {self.id} is not finished after {timeout} s, and goes on"
            ) from None

    def __await__(self) -> Generator[Any, None, Operation]:
        """Wait in a coroutine."""
        import asyncio

        return asyncio.wrap_future(self).__await__()
