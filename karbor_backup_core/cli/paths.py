"""Paths as people write them; a shell replaces a ``~`` only where it begins a word."""

from pathlib import Path

from karbor_backup_core.errors import InvalidInput


def user_path(text: str) -> Path:
    """Return a path that a person wrote, with a home directory for its ``~``.

    Raises:
        InvalidInput: no file can have that name.
    """
    if "\0" in text:
        raise InvalidInput(f"path {text!r}: it holds a NUL character, which no path can")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise InvalidInput(f"path {text!r}: there is no such home directory") from None
