"""What can be read of a storage, whatever its kind."""

import json
from collections.abc import Mapping
from typing import Any, Final, Protocol

from karbor_backup_core import BackendError

METADATA_LIMIT: Final = 16 * 2**20
"""Bytes of the agent's notes that are read; longer ones are none."""


class StorageUnreachable(BackendError):
    """The storage cannot be looked at from here; nothing is said of what it holds."""


class StorageReader(Protocol):
    """Reads one protect's container. It may raise ``StorageUnreachable``, or ``Transient``."""

    def list_sizes(self) -> Mapping[str, int]:
        """Return the bytes of everything that is stored, by paths below the container."""
        ...

    def read_metadata(self, path: str) -> Any:
        """Return the JSON of the agent's notes at a path below the container.

        Raises:
            ValueError: they are no JSON.
        """
        ...


def parse_metadata(content: bytes) -> Any:
    """Return the JSON of the agent's notes.

    Args:
        content: what was read of them, up to a byte more than ``METADATA_LIMIT``.

    Raises:
        ValueError: they are no JSON, or longer than that.
    """
    if len(content) > METADATA_LIMIT:
        raise ValueError(f"notes of more than {METADATA_LIMIT} bytes")
    return json.loads(content)
