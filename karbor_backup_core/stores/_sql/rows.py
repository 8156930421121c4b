"""Converts operations and backups to rows of the SQL store's tables, and back."""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, TypeAlias, TypeVar

import attrs

from karbor_backup_core._errors import InvalidInput, StoreError
from karbor_backup_core._identifiers import check_backup, check_operation
from karbor_backup_core._model import Backup, Operation
from karbor_backup_core._serialization.converter import read_instant
from karbor_backup_core.documents import from_document, to_document
from karbor_backup_core.stores.common import with_renewed_lease

T = TypeVar("T", Operation, Backup)


@attrs.frozen
class UnreadableRow:
    """A row of a store that cannot be read; listings skip it.

    Attributes:
        kind: "operation" or "backup".
        id: its id, as far as it is text.
        reason: why it cannot be read, in one line.
    """

    kind: str
    id: str
    reason: str


class UnreadableRowError(StoreError):
    """The requested row exists, but cannot be read.

    Attributes:
        row: the row, with the reason.
    """

    def __init__(self, row: UnreadableRow) -> None:
        super().__init__(f"what the store holds as {row.id} cannot be read: {row.reason}")
        self.row = row


OnUnreadable: TypeAlias = Callable[[UnreadableRow], None]


def operation_to_row(operation: Operation) -> dict[str, Any]:
    """Return the columns of an operation.

    Raises:
        InvalidInput: it holds what no document can, or an id that no store can.
    """
    check_operation(operation)
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


def row_to_operation(id_: Any, document: Any, version: Any, lease_until: Any) -> Operation:
    """Read an operation.

    Args:
        id_: its id.
        document: its document.
        version: of its row.
        lease_until: the lease of its owner, which is newer than the one in the document; None where
            the owner has none.

    Raises:
        UnreadableRowError: it cannot be read.
    """
    operation = _read_document(Operation, id_, document)
    if operation.version != version:
        # Otherwise each write, which names the version that was read, would be refused.
        reason = f"its document is of version {operation.version}, its row of version {version!r}"
        raise _unreadable_row_error(Operation, id_, reason)
    if lease_until is None:
        return operation
    lease = parse_instant(lease_until)
    if lease is None:
        reason = f"its lease is no instant: {lease_until!r}"
        raise _unreadable_row_error(Operation, id_, reason)
    return with_renewed_lease(operation, lease)


def backup_to_row(backup: Backup) -> dict[str, Any]:
    """Return the columns of a backup.

    Raises:
        InvalidInput: it holds what no document can, or an id that no store can.
    """
    check_backup(backup)
    document = to_document(backup)
    return {
        "id": backup.id,
        "created_at": document["created_at"],
        "document": json.dumps(document),
    }


def row_to_backup(id_: Any, document: Any) -> Backup:
    """Read a backup.

    Raises:
        UnreadableRowError: it cannot be read.
    """
    return _read_document(Backup, id_, document)


def read_rows(read: Callable[..., T], rows: Iterable[Any], on_unreadable: OnUnreadable) -> list[T]:
    """Read rows one by one; pass those that cannot be read to ``on_unreadable``."""
    found: list[T] = []
    for row in rows:
        try:
            found.append(read(*row))
        except UnreadableRowError as error:
            on_unreadable(error.row)
    return found


def format_instant(instant: datetime | None) -> str | None:
    """Format an instant as ``documents`` does, so that the two can be compared."""
    return None if instant is None else instant.astimezone(UTC).isoformat(timespec="microseconds")


def parse_instant(text: Any) -> datetime | None:
    """Read an instant as ``format_instant`` writes it; return None for anything else."""
    try:
        return read_instant(text)
    except (TypeError, ValueError):
        return None


def _read_document(cls: type[T], id_: Any, document: Any) -> T:
    if not isinstance(document, str):
        reason = f"its document is no text but {type(document).__name__}"
        raise _unreadable_row_error(cls, id_, reason)
    try:
        read = from_document(cls, json.loads(document))
    except InvalidInput as error:
        raise _unreadable_row_error(cls, id_, str(error)) from error
    except (ValueError, RecursionError) as error:
        raise _unreadable_row_error(cls, id_, f"its document is no JSON: {error}") from error
    if read.id != id_:
        raise _unreadable_row_error(cls, id_, f"its document is that of {read.id}")
    return read


def _unreadable_row_error(cls: type[Any], id_: Any, reason: str) -> UnreadableRowError:
    return UnreadableRowError(UnreadableRow(cls.__name__.lower(), str(id_), reason))
