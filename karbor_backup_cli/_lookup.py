"""Which backup or operation a person means by the beginning of its id."""

from collections.abc import Callable, Sequence

from karbor_backup_core import (
    Backup,
    InvalidInput,
    Operation,
    State,
    UnknownBackup,
    UnknownOperation,
    suggest_name,
)
from karbor_backup_core.stores.sql import SQLStore


def find_backup(store: SQLStore, text: str) -> Backup:
    """Return the backup that is meant, or the member of one (``BACKUP/MEMBER``).

    Raises:
        UnknownBackup: no id begins so.
        InvalidInput: several ids begin so.
        StoreError: it is there, but cannot be read.
    """
    prefix, _, member = text.partition("/")
    found = _match_id(prefix, store.backup_ids)
    if found is None:
        raise UnknownBackup(f"backup {text!r}: there is none; `karbor-backup list` shows all")
    backup = store.backup(found)
    return _find_member(backup, member) if member else backup


def count_queued_before(store: SQLStore, operation: Operation) -> int | None:
    """Return how many operations of its backend begin before a queued one in the same process.

    None where it does not wait for this process, but is the service's to begin, or is not queued.
    """
    if not operation.queued or operation.state is not State.PLANNED:
        return None
    return sum(
        each.queued
        and each.state is State.PLANNED
        and (each.backend, each.owner) == (operation.backend, operation.owner)
        and each.created_at < operation.created_at
        for each in store.operations(unreleased=True, on_unreadable=lambda _: None)
    )


def find_operation(store: SQLStore, text: str) -> Operation:
    """Return the operation that is meant.

    Raises:
        UnknownOperation: no id begins so.
        InvalidInput: several ids begin so.
        StoreError: it is there, but cannot be read.
    """
    found = _match_id(text, store.operation_ids)
    if found is None:
        raise UnknownOperation(
            f"operation {text!r}: there is none; `karbor-backup operations --all` shows all"
        )
    return store.operation(found)


def _find_member(backup: Backup, text: str) -> Backup:
    members = {member.resource.id: member for member in backup.members}
    found = _match_id(text, lambda prefix: [each for each in members if each.startswith(prefix)])
    if found is None:
        known = ", ".join(members) or "it has none"
        raise UnknownBackup(
            f"backup {backup.id}: no member {text!r}: {suggest_name(text, members)}members: {known}"
        )
    return members[found]


def _match_id(text: str, ids_from: Callable[[str], Sequence[str]]) -> str | None:
    """Return the one id that is the text, or else begins with it.

    Args:
        text: an id, or its beginning.
        ids_from: finds the ids that begin with a text.
    """
    matches = ids_from(text) if text else []
    if text in matches:
        return text
    if len(matches) > 1:
        shown = ", ".join(sorted(matches)[:5])
        raise InvalidInput(f"{text!r} begins {len(matches)} ids: {shown}: give more of the id")
    return matches[0] if matches else None
