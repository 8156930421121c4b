"""Operations and backups as rows of the SQL store's tables, and back."""

import json
from datetime import UTC, datetime
from typing import Any, TypeVar

import attrs

from karbor_backup_core.documents import from_document, to_document
from karbor_backup_core.errors import InvalidDocument, StoreError
from karbor_backup_core.model import Backup, Operation

T = TypeVar("T")


def row_of_operation(operation: Operation) -> dict[str, Any]:
    """Answer the columns of an operation.

    Raises:
        InvalidDocument: it holds what no document can.
    """
    document = to_document(operation)
    return {
        "id": operation.id,
        "version": operation.version,
        "state": operation.state.value,
        "owner": operation.owner,
        "cancel_requested": operation.cancel_requested,
        "cancel_sent": operation.cancel_sent,
        "has_outcome": operation.outcome is not None,
        "created_at": document["created_at"],
        "document": json.dumps(document),
    }


def operation_in(id_: str, document: str, lease_until: str | None) -> Operation:
    """Read an operation.

    Args:
        id_: its id.
        document: its document.
        lease_until: the lease of its owner, which is newer than the one in the document; None
            where the owner has shown none.

    Raises:
        StoreError: it cannot be read.
    """
    operation = _read(Operation, id_, document)
    if lease_until is None:
        return operation
    return attrs.evolve(operation, lease_until=datetime.fromisoformat(lease_until))


def row_of_backup(backup: Backup) -> dict[str, Any]:
    """Answer the columns of a backup.

    Raises:
        InvalidDocument: it holds what no document can.
    """
    document = to_document(backup)
    return {
        "id": backup.id,
        "created_at": document["created_at"],
        "document": json.dumps(document),
    }


def backup_in(id_: str, document: str) -> Backup:
    """Read a backup.

    Raises:
        StoreError: it cannot be read.
    """
    return _read(Backup, id_, document)


def instant_text(instant: datetime | None) -> str | None:
    """Write an instant as ``documents`` does, so that the two can be compared."""
    return None if instant is None else instant.astimezone(UTC).isoformat(timespec="microseconds")


def _read(cls: type[T], id_: str, document: str) -> T:
    try:
        return from_document(cls, json.loads(document))
    except (InvalidDocument, ValueError) as error:
        raise StoreError(f"what the store holds as {id_} cannot be read: {error}") from error
