"""What is written down of resources, and the marks on those that a restore has made.

Receipts and handles are bounded, so that things are written down compactly.
"""

from collections.abc import Mapping
from typing import Any, Final

from karbor_backup_core import Json, Operation

METADATA_PREFIX: Final = "karbor_backup_"
"""Begins the metadata that a restore of ours puts on what it makes; they are not the owner's."""

OPERATION_KEY: Final = f"{METADATA_PREFIX}operation"
"""Metadata of everything that a restore makes: the operation's id."""

MEMBER_KEY: Final = f"{METADATA_PREFIX}member"
"""Metadata of everything that a restore makes: the id of what it was made from."""

NAME_LIMIT: Final = 255
"""The longest name that Nova, Cinder and Glance take, in characters."""


def drop_empty(values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is not there: None, empty texts, lists and objects, and False."""
    return {key: value for key, value in values.items() if value not in (None, "", [], {}, False)}


def user_metadata(metadata: Mapping[str, str] | None) -> dict[str, str]:
    """Return the owner's metadata, without the marks of a restore that made the resource."""
    given = metadata or {}
    return {key: value for key, value in given.items() if not key.startswith(METADATA_PREFIX)}


def operation_metadata(operation: Operation, source: str) -> dict[str, str]:
    """Return the metadata that tells what was made by an operation, and of what."""
    return {OPERATION_KEY: operation.id, MEMBER_KEY: source}


def is_marked(metadata: Json | None, operation: Operation, source: str | None = None) -> bool:
    """Whether metadata says that the operation made it, of that source where one is given."""
    wanted = (
        {OPERATION_KEY: operation.id} if source is None else operation_metadata(operation, source)
    )
    found = metadata or {}
    return all(found.get(key) == value for key, value in wanted.items())
