"""What can be read of a storage, whatever its kind."""

from collections.abc import Mapping
from typing import Any, Final, Protocol

from karbor_backup_core import BackendError

NOTES_LIMIT: Final = 16 * 2**20
"""Bytes of the agent's notes that are read; what is cut off there is no JSON."""


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
