"""What can be read of a storage, whatever its kind."""

import json
from collections.abc import Mapping
from typing import Any, Final, Protocol

from karbor_backup_core import BackendError

NOTES_LIMIT: Final = 16 * 2**20
"""Bytes of the agent's notes that are read; longer ones are none."""


class OutOfReach(BackendError):
    """The storage cannot be looked at from here; nothing is said of what it holds."""


class Reader(Protocol):
    """Reads one protect's container. It may raise ``OutOfReach``, or ``Transient``."""

    def sizes(self) -> Mapping[str, int]:
        """The bytes of everything that is stored, by paths below the container."""
        ...

    def notes(self, path: str) -> Any:
        """The JSON of the agent's notes at a path below the container.

        Raises:
            ValueError: they are no JSON.
        """
        ...


def parse_notes(content: bytes) -> Any:
    """Return the JSON of the agent's notes.

    Args:
        content: what was read of them, up to a byte more than ``NOTES_LIMIT``.

    Raises:
        ValueError: they are no JSON, or longer than that.
    """
    if len(content) > NOTES_LIMIT:
        raise ValueError(f"notes of more than {NOTES_LIMIT} bytes")
    return json.loads(content)
