"""Running a program to its end, when what it says matters only if it fails."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

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
