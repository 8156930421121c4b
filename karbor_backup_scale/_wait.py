"""Waiting for an operation that other processes drive."""

import time
from datetime import timedelta
from typing import Final

from karbor_backup_cli import CliContext, find_operation, format_status, report_result
from karbor_backup_core import KarborBackupError

_LOOK_SECONDS: Final = 1.0


def wait_for_end(context: CliContext, text: str, timeout: timedelta | None) -> None:
    """Wait until an operation is released or suspended, and tell how it ended.

    Args:
        context: of the command.
        text: the operation's id, or its beginning.
        timeout: how long to wait at most; None for no limit.

    Raises:
        KarborBackupError: there is no such operation, or it is not over in time.
        CommandFailed: it did not succeed.
    """
    operation = find_operation(context.store, text)
    ends = None if timeout is None else time.monotonic() + timeout.total_seconds()
    while not operation.finished:
        left = _LOOK_SECONDS if ends is None else ends - time.monotonic()
        if left <= 0:
            raise KarborBackupError(
                f"operation {operation.id} is not over after {timeout}, and goes on "
                f"({format_status(operation)})"
            )
        time.sleep(min(left, _LOOK_SECONDS))
        operation = context.store.operation(operation.id)
    report_result(operation, as_json=context.as_json)
