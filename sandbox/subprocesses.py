"""Running a program to its end, which its caller's end is too."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from sandbox.errors import BuildError

_LOG_TAIL = 25
_PATH = f"{os.defpath}:/usr/sbin:/sbin"


def run_checked(
    command: Sequence[str], directory: Path, environ: Mapping[str, str] | None = None
) -> None:
    """Run a program that needs nothing of the caller's environment.

    Args:
        command: the program and its arguments.
        directory: where it runs; also its HOME.
        environ: what it needs besides.

    Raises:
        BuildError: it could not be started or failed; the text ends with what it said last.
    """
    surroundings = {"PATH": _PATH, "HOME": str(directory), "PYTHONWARNINGS": "ignore"}
    try:
        done = subprocess.run(
            command,
            env={**surroundings, **(environ or {})},
            cwd=directory,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise BuildError(f"{command[0]} cannot be run: {error}") from error
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-_LOG_TAIL:])
        raise BuildError(f"{' '.join(command)} failed.\n{tail}")


@contextmanager
def running_program(
    command: Sequence[str], environ: Mapping[str, str], patience: float | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a program in the foreground; an exception in the block ends it. Of the main thread only.

    Args:
        command: the program and its arguments.
        environ: its whole environment.
        patience: seconds for it to end after it was told to; as many as it takes unless given.

    Raises:
        OSError: it could not be started.
    """
    child: subprocess.Popen[bytes] | None = None
    try:
        with _signals_deferred():
            child = subprocess.Popen(command, env=dict(environ))
        yield child
    except BaseException:
        if child is not None:
            _end_program(child, patience)
        raise


def _end_program(child: "subprocess.Popen[bytes]", patience: float | None) -> None:
    child.terminate()
    try:
        child.wait(patience)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


@contextmanager
def _signals_deferred() -> Iterator[None]:
    """Let the signals that this process handles come after the block.

    What a handler raises while a program is being started would lose the program, which nobody
    could end then.
    """
    caught: list[int] = []

    def catch(number: int, _frame: FrameType | None) -> None:
        caught.append(number)

    before = {
        number: signal.signal(number, catch)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        if callable(signal.getsignal(number))
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for caught_number in caught:
            signal.raise_signal(caught_number)
