"""What every store decides in the same way, without touching what it stores."""

from collections.abc import Iterable

import attrs

from karbor_backup_core.errors import (
    Conflict,
    KarborBackupError,
    UnknownBackup,
    UnknownOperation,
)
from karbor_backup_core.model import Backup, Operation, Result, State, Verb
from karbor_backup_core.stores.base import Store


@attrs.frozen
class Effect:
    """What the end of an operation does to the remembered backups.

    Attributes:
        keep: the backup to remember, if any.
        only_if_there: keep it only over one of the same id: what is gone stays gone.
        forget: the id of the backup to forget; empty for none.
    """

    keep: Backup | None = None
    only_if_there: bool = False
    forget: str = ""


def holds_backup(operation: Operation) -> bool:
    """Say whether the operation, once written like this, holds its backup."""
    return operation.phase >= 1 and operation.state is not State.RELEASED


def unwritten(operation: Operation) -> Operation:
    """Answer a new operation as nobody has written it yet, whatever version it carries."""
    return attrs.evolve(operation, version=0) if operation.version else operation


def next_version(operation: Operation) -> Operation:
    """Answer the operation as it is stored by the write that follows the version it carries."""
    return attrs.evolve(operation, version=operation.version + 1)


def effect_of_end(operation: Operation) -> Effect:
    """Say what the end of this operation does to the remembered backups.

    Raises:
        ValueError: the operation has no outcome, so it has not ended.
    """
    outcome = operation.outcome
    if outcome is None:
        raise ValueError(f"operation {operation.id} has no outcome: write it, do not end it")
    if operation.verb is Verb.DELETE and outcome.result is Result.SUCCEEDED:
        return Effect(forget=operation.backup_id)
    return Effect(keep=outcome.backup, only_if_there=operation.verb is Verb.VERIFY)


def wants_cancel(operation: Operation, owner: str) -> bool:
    """Say whether that owner has yet to hear that this operation is to be cancelled."""
    return (
        operation.owner == owner
        and operation.cancel_requested
        and not operation.cancel_sent
        and operation.outcome is None
    )


def each_by_itself(
    store: Store, written: Iterable[Operation], ended: Iterable[Operation]
) -> dict[str, Operation | KarborBackupError]:
    """Do what ``Store.write_all`` does, with one write for each operation."""
    stored: dict[str, Operation | KarborBackupError] = {}
    for write, operations in ((store.write, written), (store.end, ended)):
        for operation in operations:
            try:
                stored[operation.id] = write(operation)
            except KarborBackupError as error:
                stored[operation.id] = error
    return stored


def already_there(operation: Operation) -> Conflict:
    """Make the refusal of a second operation of the same id."""
    return Conflict(f"operation {operation.id} is in the store already: read it, then write it")


def overtaken(operation: Operation) -> Conflict:
    """Make the refusal of a write over a version, or a lease, that is no longer the stored one."""
    return Conflict(
        f"operation {operation.id} has been written, or its lease renewed, by somebody else since "
        f"version {operation.version}: read it again"
    )


def no_operation(operation_id: str) -> UnknownOperation:
    """Make the refusal of an operation that the store does not hold."""
    return UnknownOperation(f"no operation {operation_id} in the store: list the operations")


def no_backup(backup_id: str) -> UnknownBackup:
    """Make the refusal of a backup that the store does not hold."""
    return UnknownBackup(f"no backup {backup_id} in the store: list the backups")
