"""How things are written down: compactly, since receipts and handles are bounded."""

from collections.abc import Mapping
from typing import Any, Final

MARK_PREFIX: Final = "karbor_backup_"
"""Begins the metadata that a restore of ours puts on what it makes; they are not the owner's."""


def compact(values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is not there: None, empty texts, lists and objects, and False."""
    return {key: value for key, value in values.items() if value not in (None, "", [], {}, False)}


def own_metadata(metadata: Mapping[str, str] | None) -> dict[str, str]:
    """The owner's metadata, without the marks of a restore that made the resource."""
    given = metadata or {}
    return {key: value for key, value in given.items() if not key.startswith(MARK_PREFIX)}
