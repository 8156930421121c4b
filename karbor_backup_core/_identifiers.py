"""Which ids and names can be: checked when an operation is planned and when a document is read.

They become keys of stores, names of files and parts of requests, so one that no store can write
down, or that leads to another place, is refused before anything is done with it.
"""

import re
from typing import Final

from karbor_backup_core._errors import InvalidInput
from karbor_backup_core._model import Backup, Operation, Resource

ID_LIMIT: Final = 4096
"""The longest id of a resource, in bytes of UTF-8: a path of Linux."""

NAME_LIMIT: Final = 1024
"""The longest type, name, scope or name of a storage, in characters."""

OWNER_LIMIT: Final = 255
"""The longest name of a process that owns operations: the width of its column in stores."""

SHARED_NAME_LIMIT: Final = 255
"""The longest name of a shared resource, in characters: part of a key in stores."""

_OPERATION_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")


def check_resource(resource: Resource) -> None:
    """Check a resource's type, id and name.

    Raises:
        InvalidInput: one is too long, or holds what no store can write down.
    """
    check_text("type", resource.type)
    check_text("name", resource.name)
    check_text("id", resource.id, ID_LIMIT)


def check_operation(operation: Operation) -> None:
    """Check the ids and names of an operation, and of the backups that it works on or has made.

    Raises:
        InvalidInput: one of them cannot be.
    """
    check_operation_id(operation.id)
    check_resource(operation.resource)
    for what in ("backend", "implementation", "scope"):
        check_text(what, getattr(operation, what))
    check_text("owner", operation.owner, OWNER_LIMIT)
    if operation.place is not None:
        check_text("place", operation.place.id)
        check_text("host", operation.place.host)
    for shared in operation.shared_resources:
        check_text("shared resource", shared.name, SHARED_NAME_LIMIT)
    if operation.backup is not None:
        check_backup(operation.backup)
    if operation.outcome is not None and operation.outcome.backup is not None:
        check_backup(operation.outcome.backup)


def check_backup(backup: Backup) -> None:
    """Check the ids and names of a backup and its members.

    Raises:
        InvalidInput: one of them cannot be, or a member is not one of this backup.
    """
    whole, slash, _ = backup.id.partition("/")
    check_operation_id(whole)
    if slash and backup.id != f"{whole}/{backup.resource.id}":
        raise InvalidInput(f"backup {backup.id!r}: it is not the id of a backup's member")
    check_resource(backup.resource)
    for what in ("backend", "scope", "storage"):
        check_text(what, getattr(backup, what))
    if backup.copy_of:
        copied = backup.copy_of.partition("/")[0]
        check_operation_id(copied)
        check_text("copy_of", backup.copy_of.removeprefix(copied), ID_LIMIT + 1)
    for member in backup.members:
        if member.id != f"{whole}/{member.resource.id}" or member.members:
            raise InvalidInput(f"member {member.id!r}: it is no member of backup {whole}")
        check_backup(member)


def check_operation_id(identifier: str) -> None:
    """Check the id of an operation, which is that of the backup that it makes.

    Raises:
        InvalidInput: it holds other than letters, digits, '-' and '_', or is too long.
    """
    if not _OPERATION_ID.fullmatch(identifier):
        raise InvalidInput(f"id {identifier[:80]!r}: it is not the id of an operation or backup")


def is_storable_text(text: str) -> bool:
    """Return whether every store can write a text down; PostgreSQL's text has no NUL."""
    return not _UNSTORABLE.search(text)


def check_text(what: str, text: str, limit: int = NAME_LIMIT) -> None:
    """Check a text that stores write down.

    Raises:
        InvalidInput: it is longer than the limit, in bytes of UTF-8, or holds NUL or what UTF-8
            does not have.
    """
    if not is_storable_text(text):
        raise InvalidInput(f"{what} {text[:80]!r}: leave out NUL and what UTF-8 does not have")
    if len(text.encode()) > limit:
        raise InvalidInput(f"{what} {text[:80]!r}...: give at most {limit} bytes of UTF-8")
