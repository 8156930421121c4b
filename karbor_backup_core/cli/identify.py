"""Which backup or operation a person means by the beginning of its id."""

from collections.abc import Iterable

from karbor_backup_core.errors import InvalidInput, UnknownBackup, UnknownOperation
from karbor_backup_core.model import Backup, Operation
from karbor_backup_core.stores.base import Store


def find_backup(store: Store, text: str) -> Backup:
    """Answer the backup that is meant, or the member of one (``BACKUP/MEMBER``).

    Raises:
        UnknownBackup: no id begins so.
        InvalidInput: several ids begin so.
    """
    prefix, _, member = text.partition("/")
    backups = {backup.id: backup for backup in store.backups()}
    found = _meant(prefix, backups)
    if found is None:
        raise UnknownBackup(f"backup {text!r}: there is none; `karbor-backup list` shows all")
    backup = backups[found]
    return _find_member(backup, member) if member else backup


def find_operation(store: Store, text: str) -> Operation:
    """Answer the operation that is meant.

    Raises:
        UnknownOperation: no id begins so.
        InvalidInput: several ids begin so.
    """
    operations = {operation.id: operation for operation in store.operations()}
    found = _meant(text, operations)
    if found is None:
        raise UnknownOperation(
            f"operation {text!r}: there is none; `karbor-backup operations --all` shows all"
        )
    return operations[found]


def _find_member(backup: Backup, text: str) -> Backup:
    members = {member.resource.id: member for member in backup.members}
    found = _meant(text, members)
    if found is None:
        known = ", ".join(members) or "it has none"
        raise UnknownBackup(f"backup {backup.id}: no member {text!r} (members: {known})")
    return members[found]


def _meant(text: str, ids: Iterable[str]) -> str | None:
    """Answer the one id that is the text, or else begins with it."""
    known = list(ids)
    if text in known:
        return text
    matches = [each for each in known if text and each.startswith(text)]
    if len(matches) > 1:
        shown = ", ".join(sorted(matches)[:5])
        raise InvalidInput(f"{text!r} may mean {len(matches)} things: {shown}: write more of it")
    return matches[0] if matches else None
