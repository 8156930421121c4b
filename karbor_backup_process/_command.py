"""One command of a job."""

import os
import signal
import subprocess
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import attrs

from karbor_backup_core import BackendError, InvalidInput, Transient

INPUT_LIMIT: Final = 4096
"""Bytes that every pipe takes without a reader (``pipe(7)``, the smallest capacity)."""


@attrs.frozen
class CompletedCommand:
    """How a command has ended.

    Attributes:
        exit_status: as ``subprocess`` has it: negative for a signal.
        output: its standard output.
        errors: its standard error.
    """

    exit_status: int
    output: str
    errors: str


@attrs.frozen
class Command:
    """A program that a job runs, without a shell.

    Attributes:
        arguments: the program and its arguments; everybody on the machine can read them.
        environment: all variables that the program gets; its user can read them in ``/proc``.
        inputs: per variable, a text that the program reads from the file whose path the variable
            holds, once. It goes through a pipe, and is in no file. At most 4096 bytes of UTF-8.
        directory: the working directory; that of the job where it is empty.
        accepted: the exit statuses after which the next command of a job is run.
        discard_output: whether what the command of a job writes to its standard output is kept
            nowhere; for output that is long and of no use.
        source: a command of a job whose standard output this one reads as its standard input.
            Unless it ends well, this one is stopped, and does not see the end of its input. Of it
            ``accepted`` counts; ``discard_output`` and a source of its own do not.
    """

    arguments: Sequence[str]
    environment: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    inputs: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    directory: str = ""
    accepted: Collection[int] = (0,)
    discard_output: bool = False
    source: "Command | None" = None

    def __attrs_post_init__(self) -> None:
        for name, text in self.inputs.items():
            if len(text.encode()) > INPUT_LIMIT:
                raise InvalidInput(
                    f"the input {name} of {self.arguments[0]} is longer than {INPUT_LIMIT} bytes"
                )

    def run(self, timeout: float) -> "CompletedCommand":
        """Run the command now, and wait for its end.

        This is for what takes a moment, like a request to a service; longer work is a job.

        Args:
            timeout: seconds after which the command and its process group get SIGKILL.

        Raises:
            BackendError: the program cannot be started.
            Transient: it did not end in time.
        """
        pipes = {name: _fill_pipe(text) for name, text in self.inputs.items()}
        paths = {name: f"/dev/fd/{reader}" for name, reader in pipes.items()}
        try:
            process = subprocess.Popen(  # noqa: S603 - what a backend has put together
                self.arguments,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=self.directory or "/",
                env={**self.environment, **paths},
                pass_fds=list(pipes.values()),
                start_new_session=True,
            )
        except OSError as error:
            raise BackendError(f"{self.arguments[0]} cannot be started: {error}") from error
        finally:
            for reader in pipes.values():
                os.close(reader)
        output, errors = self._communicate(process, timeout)
        return CompletedCommand(process.returncode, _decode(output), _decode(errors))

    def _communicate(
        self, process: "subprocess.Popen[bytes]", timeout: float
    ) -> tuple[bytes, bytes]:
        with process:
            try:
                return process.communicate(timeout=timeout)
            except BaseException as error:
                # Not waited for yet, so the number is still that of its group.
                os.killpg(process.pid, signal.SIGKILL)
                if isinstance(error, subprocess.TimeoutExpired):
                    name = Path(self.arguments[0]).name
                    raise Transient(f"{name} did not end within {timeout:g} seconds") from None
                raise

    def to_document(self) -> dict[str, Any]:
        """Return the command as the supervisor reads it."""
        return {
            "arguments": list(self.arguments),
            "environment": dict(self.environment),
            "inputs": dict(self.inputs),
            "directory": self.directory,
            "accepted": list(self.accepted),
            "discard_output": self.discard_output,
            "source": self.source and self.source.to_document(),
        }


def _fill_pipe(text: str) -> int:
    """Return the end of a pipe from which a text can be read, once."""
    reader, writer = os.pipe()
    try:
        os.write(writer, text.encode())
    finally:
        os.close(writer)
    return reader


def _decode(text: bytes) -> str:
    return text.decode(errors="replace")
