"""Rules and errors that all stores share; pure functions, no I/O."""

from collections.abc import Callable, Iterable
from datetime import datetime

import attrs

from karbor_backup_core._errors import Conflict, KarborBackupError, UnknownBackup, UnknownOperation
from karbor_backup_core._model import (
    Backup,
    Operation,
    Result,
    SharedResource,
    State,
    Verb,
)
from karbor_backup_core.stores.base import Store


@attrs.frozen
class BackupEffect:
    """The change that the end of an operation makes to the stored backups.

    Attributes:
        put: the backup to store, if any.
        only_if_present: store it only over one of the same id: a deleted backup stays deleted.
        delete: the id of the backup to delete; empty for none.
    """

    put: Backup | None = None
    only_if_present: bool = False
    delete: str = ""


def needs_backup_lock(operation: Operation) -> bool:
    """Return whether the operation, once written like this, locks its backup."""
    return operation.phase >= 1 and operation.state is not State.RELEASED


def is_lock_pending(operation: Operation) -> bool:
    """Return whether the operation, once written like this, waits for shared resources."""
    begun = needs_backup_lock(operation) or operation.state is State.RELEASED
    return operation.retry.lock_pending and bool(operation.shared_resources) and not begun


def sort_by_name(resources: Iterable[SharedResource]) -> list[SharedResource]:
    """Sort shared resources: all processes lock them in one order."""
    return sorted(resources, key=lambda each: each.name)


def with_renewed_lease(operation: Operation, until: datetime | None) -> Operation:
    """Return the operation with its lease as its owner has renewed it last.

    Args:
        operation: as it was written.
        until: the end of the owner's lease; None where that is not stored apart.
    """
    lease = operation.lease
    if lease is None or until is None or lease.until == until:
        return operation
    return attrs.evolve(operation, lease=attrs.evolve(lease, until=until))


def reset_version(operation: Operation) -> Operation:
    """Return the operation with version 0, as one that has never been written."""
    return attrs.evolve(operation, version=0) if operation.version else operation


def increment_version(operation: Operation) -> Operation:
    """Return the operation with the next version, as the next write stores it."""
    return attrs.evolve(operation, version=operation.version + 1)


def backup_effect(operation: Operation) -> BackupEffect:
    """Return the change that an operation makes to the stored backups when it gets its outcome."""
    outcome = operation.outcome
    if outcome is None:
        return BackupEffect()
    if operation.verb is Verb.DELETE and outcome.result is Result.SUCCEEDED:
        return BackupEffect(delete=operation.backup_id)
    return BackupEffect(put=outcome.backup, only_if_present=operation.verb is Verb.VERIFY)


def has_unsent_cancel(operation: Operation, owner: str) -> bool:
    """Return whether that owner has a cancel request for this operation still to send."""
    return (
        operation.owner == owner
        and operation.cancel_requested
        and not operation.cancel_sent
        and operation.outcome is None
    )


def write_one(store: Store, operation: Operation) -> Operation:
    """Write one operation with ``Store.write``; return it as stored.

    Raises:
        Conflict: it has been written since it was read.
        Busy: another operation has its backup or a shared resource; nothing was written.
        UnknownOperation: the store has no such operation.
        StoreError: the store cannot be used.
    """
    stored = store.write([operation])[operation.id]
    if isinstance(stored, KarborBackupError):
        raise stored
    return stored


def sort_by_id(operations: Iterable[Operation]) -> list[Operation]:
    """Sort operations for ``Store.write``: all processes lock rows in one order.

    So no two of them wait for each other.
    """
    return sorted(operations, key=lambda each: each.id)


def write_each(
    operations: Iterable[Operation], write: Callable[[Operation], Operation]
) -> dict[str, Operation | KarborBackupError]:
    """Do what ``Store.write`` does, with a function that writes one operation or raises."""
    stored: dict[str, Operation | KarborBackupError] = {}
    for operation in sort_by_id(operations):
        try:
            stored[operation.id] = write(operation)
        except KarborBackupError as error:
            stored[operation.id] = error
    return stored


def already_exists_error(operation: Operation) -> Conflict:
    """Create the error for a second operation of the same id."""
    return Conflict(f"operation {operation.id} is in the store already: read it, then write it")


def version_conflict_error(operation: Operation) -> Conflict:
    """Create the error for a write over a version, or a lease, that is no longer the stored one."""
    return Conflict(
        f"operation {operation.id} has been written, or its lease renewed, by somebody else since "
        f"version {operation.version}: read it again"
    )


def unknown_operation_error(operation_id: str) -> UnknownOperation:
    """Create the error for an operation that the store does not have."""
    return UnknownOperation(f"no operation {operation_id} in the store: list the operations")


def unknown_backup_error(backup_id: str) -> UnknownBackup:
    """Create the error for a backup that the store does not have."""
    return UnknownBackup(f"no backup {backup_id} in the store: list the backups")
