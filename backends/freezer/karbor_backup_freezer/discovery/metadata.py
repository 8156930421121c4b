"""How things are written down: compactly, since receipts and handles are bounded."""

from collections.abc import Mapping
from typing import Any, Final

METADATA_PREFIX: Final = "karbor_backup_"
"""Begins the metadata that a restore of ours puts on what it makes; they are not the owner's."""


def drop_empty(values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is not there: None, empty texts, lists and objects, and False."""
    return {key: value for key, value in values.items() if value not in (None, "", [], {}, False)}


def user_metadata(metadata: Mapping[str, str] | None) -> dict[str, str]:
    """Return the owner's metadata, without the marks of a restore that made the resource."""
    given = metadata or {}
    return {key: value for key, value in given.items() if not key.startswith(METADATA_PREFIX)}
