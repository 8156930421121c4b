"""What every store decides in the same way, without touching what it stores."""

from collections.abc import Iterable

import attrs

from karbor_backup_core._errors import Conflict, KarborBackupError, UnknownBackup, UnknownOperation
from karbor_backup_core._model import Backup, Operation, Result, State, Verb
from karbor_backup_core.stores.base import Store


@attrs.frozen
class BackupEffect:
    """What the end of an operation does to the remembered backups.

    Attributes:
        put: the backup to store, if any.
        only_if_present: store it only over one of the same id: what is gone stays gone.
        delete: the id of the backup to delete; empty for none.
    """

    put: Backup | None = None
    only_if_present: bool = False
    delete: str = ""


def needs_backup_lock(operation: Operation) -> bool:
    """Say whether the operation, once written like this, holds its backup."""
    return operation.phase >= 1 and operation.state is not State.RELEASED


def reset_version(operation: Operation) -> Operation:
    """Return a new operation as nobody has written it yet, whatever version it carries."""
    return attrs.evolve(operation, version=0) if operation.version else operation


def increment_version(operation: Operation) -> Operation:
    """Return the operation as it is stored by the write that follows the version it carries."""
    return attrs.evolve(operation, version=operation.version + 1)


def backup_effect(operation: Operation) -> BackupEffect:
    """Say what the end of this operation does to the remembered backups.

    Raises:
        ValueError: the operation has no outcome, so it has not ended.
    """
    outcome = operation.outcome
    if outcome is None:
        raise ValueError(f"operation {operation.id} has no outcome: write it, do not end it")
    if operation.verb is Verb.DELETE and outcome.result is Result.SUCCEEDED:
        return BackupEffect(delete=operation.backup_id)
    return BackupEffect(put=outcome.backup, only_if_present=operation.verb is Verb.VERIFY)


def has_unsent_cancel(operation: Operation, owner: str) -> bool:
    """Say whether that owner has yet to hear that this operation is to be cancelled."""
    return (
        operation.owner == owner
        and operation.cancel_requested
        and not operation.cancel_sent
        and operation.outcome is None
    )


def write_each(
    store: Store, written: Iterable[Operation], ended: Iterable[Operation]
) -> dict[str, Operation | KarborBackupError]:
    """Do what ``Store.write_all`` does, with one write for each operation."""
    stored: dict[str, Operation | KarborBackupError] = {}
    for write, operations in ((store.write, written), (store.write_outcome, ended)):
        for operation in operations:
            try:
                stored[operation.id] = write(operation)
            except KarborBackupError as error:
                stored[operation.id] = error
    return stored


def already_exists_error(operation: Operation) -> Conflict:
    """Make the refusal of a second operation of the same id."""
    return Conflict(f"operation {operation.id} is in the store already: read it, then write it")


def version_conflict_error(operation: Operation) -> Conflict:
    """Make the refusal of a write over a version, or a lease, that is no longer the stored one."""
    return Conflict(
        f"operation {operation.id} has been written, or its lease renewed, by somebody else since "
        f"version {operation.version}: read it again"
    )


def unknown_operation_error(operation_id: str) -> UnknownOperation:
    """Make the refusal of an operation that the store does not hold."""
    return UnknownOperation(f"no operation {operation_id} in the store: list the operations")


def unknown_backup_error(backup_id: str) -> UnknownBackup:
    """Make the refusal of a backup that the store does not hold."""
    return UnknownBackup(f"no backup {backup_id} in the store: list the backups")
