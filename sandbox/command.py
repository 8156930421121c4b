"""Running a command in a sandbox's cloud."""

import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from sandbox.errors import MissingProgramError
from sandbox.ports import no_proxy_variables
from sandbox.subprocesses import running_program


def run_command(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run a command in the foreground and return its exit status, as a shell would.

    Args:
        command: the program and its arguments.
        environ: what makes it use the sandbox; the caller's other `OS_` variables are withheld, so
            that it cannot reach another cloud by mistake.

    Raises:
        MissingProgramError: there is no such program.
    """
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
    whole = {**inherited, **no_proxy_variables(inherited), **environ}
    try:
        with _interrupts_dropped(), running_program(command, whole) as child:
            status = child.wait()
    except OSError as error:
        raise MissingProgramError(f"{command[0]} cannot be run: {error}") from error
    return status if status >= 0 else 128 - status


@contextmanager
def _interrupts_dropped() -> Iterator[None]:
    """Drop Ctrl-C, which reaches the command too: it is the command that decides what to do.

    A KeyboardInterrupt in the midst of `Popen.wait` can lose the command's exit status. Where the
    signal is ignored, the command is to ignore it as well.
    """
    before = signal.getsignal(signal.SIGINT)
    if callable(before):
        signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        if callable(before):
            signal.signal(signal.SIGINT, before)
