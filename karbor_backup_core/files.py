"""Files and paths that people name."""

import os
from pathlib import Path
from typing import IO, Final

from karbor_backup_core._errors import InvalidInput

LARGEST: Final = 64 * 1024 * 1024
"""Bytes of the largest file that is read: a device may go on for ever."""


def expand_user_path(text: str) -> Path:
    """Return a path that a person wrote, with a home directory for its ``~``.

    A shell replaces a ``~`` only where it begins a word.

    Raises:
        InvalidInput: no file can have that name.
    """
    if (fault := find_name_fault(text)) is not None:
        raise InvalidInput(fault)
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise InvalidInput(f"path {text!r}: there is no such home directory") from None


def read_bytes(path: Path) -> bytes:
    """Return the content of a file, which may be a pipe.

    Raises:
        InvalidInput: there is more than ``LARGEST`` bytes of it.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return read_limited(file, str(path))


def read_limited(file: IO[bytes], what: str) -> bytes:
    """Return what an open file holds from here on.

    Args:
        file: the file, which may be a pipe.
        what: what it is, for the text of an error.

    Raises:
        InvalidInput: there is more than ``LARGEST`` bytes of it.
        OSError: it cannot be read.
    """
    content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise InvalidInput(f"{what}: it is larger than {LARGEST} bytes")
    return content


def find_name_fault(text: str | bytes) -> str | None:
    """Return why no file can have a name, or None."""
    try:
        name = os.fsencode(text)
    except UnicodeEncodeError:
        return f"path {text!r}: it holds a character that no path can"
    return f"path {text!r}: it holds a NUL character, which no path can" if b"\0" in name else None
