"""The names of what a restore makes."""

from typing import Final

from karbor_backup_core import Json, Operation, Resource
from karbor_backup_freezer.resources import PROJECT
from karbor_backup_freezer.survey.notes import MARK_PREFIX

OPERATION: Final = f"{MARK_PREFIX}operation"
"""Metadata of everything that a restore makes: the operation's id."""

MEMBER: Final = f"{MARK_PREFIX}member"
"""Metadata of everything that a restore makes: the id of what it was made from."""

LIMIT: Final = 255
"""The longest name that Nova, Cinder and Glance take, in characters."""


def marks(operation: Operation, source: str) -> dict[str, str]:
    """The metadata that tells what was made by an operation, and of what."""
    return {OPERATION: operation.id, MEMBER: source}


def is_marked(metadata: Json | None, operation: Operation, source: str | None = None) -> bool:
    """Whether metadata says that the operation made it, of that source where one is given."""
    wanted = {OPERATION: operation.id} if source is None else marks(operation, source)
    found = metadata or {}
    return all(found.get(key) == value for key, value in wanted.items())


def restored_name(operation: Operation, source: Resource, device: str = "") -> str:
    """The name of what is made of a source.

    Args:
        operation: the restore; without the option ``restore_name`` a name stays as it was.
        source: the resource that was protected, or a member of it.
        device: the device's name of a server's volume, such as ``/dev/vdb``.
    """
    given: str = operation.options.get("restore_name", "")
    if not given:
        return source.name[:LIMIT]
    if source.id == operation.resource.id:
        return given[:LIMIT]
    own = source.name or source.id
    if operation.resource.type != PROJECT and device:
        own = device.rpartition("/")[2]
    return f"{given}-{own}"[:LIMIT]
