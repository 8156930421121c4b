"""The standard streams of the command: no character and no lost reader ends it with a fault.

This module needs no library, since it works where one is missing.
"""

import contextlib
import os
import sys
from typing import Final, TextIO

from karbor_backup_core import printable_lines, truncate_text

_STANDARD: Final = (0, 1, 2)

LONGEST_LINE: Final = 8192
"""Characters of a line for a person: what a document or a service says may be a megabyte."""


class OutputLost(Exception):
    """The standard output could not be written.

    Attributes:
        reason: why, as the system says it.
        done: what the command has done all the same, in words; empty for nothing.
        failed: whether that is another end than was asked for.
    """

    def __init__(self, reason: str, done: str = "", *, failed: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.done = done
        self.failed = failed


def prepare_streams() -> None:
    """Have the output's encoding escape what it cannot write, and occupy closed descriptors.

    A file that is opened on the descriptor of a closed standard stream, such as a store, would get
    what other programs of this process write to that stream.
    """
    for descriptor in _STANDARD:
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def write_output(text: str = "", *, styled: bool = False) -> None:
    """Write a text and a line's end to the standard output, at once.

    Args:
        text: what cannot be printed in it is escaped.
        styled: the text is escaped already, and has the terminal's own sequences in it.

    Raises:
        OutputLost: it cannot be written.
    """
    # Python has None for a stream whose descriptor was closed when the process began.
    stream: TextIO | None = getattr(sys, "stdout", None)
    if stream is None:
        raise OutputLost("it is closed")
    try:
        stream.write(f"{text if styled else printable_lines(text)}\n")
        stream.flush()
    except (OSError, ValueError) as error:
        _discard_buffer(stream)
        raise OutputLost(getattr(error, "strerror", None) or str(error)) from error


def write_error(text: str, *, whole: bool = False) -> None:
    """Write a text and a line's end to the standard error; where nobody can read it, do nothing.

    Args:
        text: what cannot be printed in it is escaped, and what is too long for a line cut.
        whole: nothing is cut: the text is for a program.
    """
    stream: TextIO | None = getattr(sys, "stderr", None)
    if stream is None:
        return
    text = printable_lines(text)
    if not whole:
        text = "\n".join(truncate_text(line, LONGEST_LINE) for line in text.split("\n"))
    try:
        stream.write(f"{text}\n")
        stream.flush()
    except (OSError, ValueError):
        _discard_buffer(stream)


def flush_streams() -> None:
    """Write what the standard streams still hold; what cannot be written is discarded.

    Python would fail on it once more when the process ends, and change its exit status to 120.
    """
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            try:
                stream.flush()
            except (OSError, ValueError):
                _discard_buffer(stream)


def _discard_buffer(stream: TextIO) -> None:
    """Send what a stream still holds nowhere, or Python fails once more when it ends."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
