"""Running a command in a sandbox's cloud."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence

from sandbox.errors import MissingProgramError
from sandbox.ports import no_proxy_variables


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
    try:
        child = subprocess.Popen(
            command, env={**inherited, **no_proxy_variables(inherited), **environ}
        )
    except OSError as error:
        raise MissingProgramError(f"{command[0]} cannot be run: {error}") from error
    try:
        status = _wait_for_child(child)
    except BaseException:
        child.terminate()
        child.wait()
        raise
    return status if status >= 0 else 128 - status


def _wait_for_child(child: subprocess.Popen[bytes]) -> int:
    """Wait for the child; Ctrl-C reaches it too, and it is the child that decides what to do.

    The signal is taken and dropped here: a KeyboardInterrupt in the midst of `Popen.wait` can lose
    the child's exit status.
    """
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        return child.wait()
    finally:
        signal.signal(signal.SIGINT, before)
