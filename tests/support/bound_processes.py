"""Processes that end with the one that starts them, also where that is killed."""

import signal
from collections.abc import Sequence
from pathlib import Path


def end_with_parent(
    command: Sequence[str | Path], signum: signal.Signals = signal.SIGTERM
) -> list[str | Path]:
    """Return a command that gets a signal when the thread has ended that started it.

    A fixture's end does not come where the process of the tests is killed, as pytest's workers are
    that take long to end.
    """
    return ["setpriv", "--pdeathsig", signum.name.removeprefix("SIG"), *command]
