"""A store in any database of SQLAlchemy's; without a server, in an SQLite file."""

import contextlib
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import attrs
import sqlalchemy as sa

from karbor_backup_core.documents import from_document, to_document
from karbor_backup_core.errors import BackupBusy, InvalidDocument, StoreError
from karbor_backup_core.model import Backup, Operation, State
from karbor_backup_core.stores import database, rules, schema
from karbor_backup_core.stores.schema import backups, held_backups, operations

T = TypeVar("T")


class SQLStore:
    """Remembers operations and backups in a database; see ``Store`` for the rules.

    Args:
        url: SQLAlchemy's URL of the database, such as ``sqlite:////var/lib/backups.db``. A new
            SQLite file can be read by its owner only. Missing tables are made.

    Raises:
        InvalidInput: the URL names no database that can be used here.
        StoreError: the database cannot be reached, or its tables are of another version.
    """

    def __init__(self, url: str) -> None:
        self._engine = database.engine_for(url)
        with contextlib.ExitStack() as on_failure, self._faults_named():
            on_failure.callback(self.close)
            schema.prepare(self._engine)
            on_failure.pop_all()

    def add(self, operation: Operation) -> Operation:
        """Keep a new operation and answer it as stored, with version 1."""
        stored = rules.next_version(attrs.evolve(operation, version=0))
        row = _row_of(stored)
        with self._transaction() as connection:
            if not _inserted(connection, operations, row):
                raise rules.already_there(operation)
            _take_or_let_go(connection, operation)
        return stored

    def write(self, operation: Operation) -> Operation:
        """Write over the version that was read; answer the operation with the next version."""
        with self._transaction() as connection:
            return _overwrite(connection, operation)

    def end(self, operation: Operation) -> Operation:
        """Write an operation that has just got its outcome, together with its effect."""
        effect = rules.effect_of_end(operation)
        with self._transaction() as connection:
            stored = _overwrite(connection, operation)
            if effect.forget:
                connection.execute(sa.delete(backups).where(backups.c.id == effect.forget))
            if effect.keep is not None:
                _keep(connection, effect.keep, only_if_there=effect.only_if_there)
            return stored

    def operation(self, operation_id: str) -> Operation:
        """Answer one operation."""
        query = _OPERATIONS.where(operations.c.id == operation_id)
        with self._transaction() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise rules.no_operation(operation_id)
        return _operation_in(*row)

    def operations(self, *, unreleased: bool = False) -> Sequence[Operation]:
        """Answer all operations, or only those that are not released; the oldest first."""
        query = _OPERATIONS.order_by(operations.c.created_at, operations.c.id)
        if unreleased:
            query = query.where(operations.c.state != State.RELEASED.value)
        with self._transaction() as connection:
            rows = connection.execute(query).all()
        return [_operation_in(*row) for row in rows]

    def cancel_requests(self, owner: str) -> Sequence[str]:
        """Answer the ids of that owner's operations that it has yet to hear are cancelled."""
        query = (
            sa.select(operations.c.id)
            .where(
                operations.c.owner == owner,
                operations.c.cancel_requested.is_(sa.true()),
                operations.c.cancel_sent.is_(sa.false()),
                operations.c.has_outcome.is_(sa.false()),
            )
            .order_by(operations.c.id)
        )
        with self._transaction() as connection:
            return connection.scalars(query).all()

    def renew(self, owner: str, lease_until: datetime) -> None:
        """Prolong the lease on all of that owner's operations; their versions stay."""
        renewal = (
            sa.update(operations)
            .where(operations.c.owner == owner)
            .values(lease_until=_instant_text(lease_until))
        )
        with self._transaction() as connection:
            connection.execute(renewal)

    def take(self, operation: Operation, seen: Operation) -> Operation:
        """Write as ``write`` does, provided that the lease is still the one that was seen."""
        lease = _instant_text(seen.lease_until)
        with self._transaction() as connection:
            return _overwrite(connection, operation, operations.c.lease_until == lease)

    def keep(self, backup: Backup) -> None:
        """Remember a backup that was made elsewhere; one of the same id is replaced."""
        with self._transaction() as connection:
            _keep(connection, backup, only_if_there=False)

    def backup(self, backup_id: str) -> Backup:
        """Answer one backup."""
        query = _BACKUPS.where(backups.c.id == backup_id)
        with self._transaction() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise rules.no_backup(backup_id)
        return _read(Backup, *row)

    def backups(self) -> Sequence[Backup]:
        """Answer all backups, the oldest first."""
        query = _BACKUPS.order_by(backups.c.created_at, backups.c.id)
        with self._transaction() as connection:
            rows = connection.execute(query).all()
        return [_read(Backup, *row) for row in rows]

    def close(self) -> None:
        """Let go of connections and files."""
        self._engine.dispose()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        """A transaction that takes effect as a whole when it is left without an exception.

        One that writes does so first: SQLite refuses, without waiting, to let a transaction write
        that has read what another one has overwritten since.
        """
        with self._faults_named(), self._engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def _faults_named(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.SQLAlchemyError as error:
            cause = error.orig if isinstance(error, sa.exc.DBAPIError) else error
            line = next(iter(str(cause).splitlines()), type(cause).__name__)
            place = database.place_of(self._engine.url)
            raise StoreError(f"the store {place} cannot be used: {line}") from error


_OPERATIONS = sa.select(operations.c.id, operations.c.document, operations.c.lease_until)
_BACKUPS = sa.select(backups.c.id, backups.c.document)


def _overwrite(
    connection: sa.Connection, operation: Operation, *conditions: sa.ColumnElement[bool]
) -> Operation:
    """Write over the version that was read, if the conditions hold as well."""
    stored = rules.next_version(operation)
    this = operations.c.id == operation.id
    update = (
        sa.update(operations)
        .where(this, operations.c.version == operation.version, *conditions)
        .values(_row_of(stored))
    )
    if connection.execute(update).rowcount == 0:
        if connection.scalar(sa.select(operations.c.id).where(this)) is None:
            raise rules.no_operation(operation.id)
        raise rules.overtaken(operation)
    _take_or_let_go(connection, operation)
    return stored


def _take_or_let_go(connection: sa.Connection, operation: Operation) -> None:
    """Hold the operation's backup for it, or let go of what it held."""
    backup_id = operation.backup_id
    if not rules.holds_backup(operation):
        connection.execute(
            sa.delete(held_backups).where(held_backups.c.operation_id == operation.id)
        )
        return
    query = sa.select(held_backups.c.operation_id).where(held_backups.c.backup_id == backup_id)
    if connection.scalar(query) == operation.id:
        return
    hold = {"backup_id": backup_id, "operation_id": operation.id}
    if not _inserted(connection, held_backups, hold):
        raise BackupBusy(backup_id, connection.scalar(query) or "that has just begun")


def _keep(connection: sa.Connection, backup: Backup, *, only_if_there: bool) -> None:
    document = to_document(backup)
    row = {
        "id": backup.id,
        "created_at": document["created_at"],
        "document": json.dumps(document),
    }
    update = sa.update(backups).where(backups.c.id == backup.id).values(row)
    there = connection.execute(update).rowcount > 0
    if not there and not only_if_there and not _inserted(connection, backups, row):
        connection.execute(update)


def _inserted(connection: sa.Connection, table: sa.Table, row: dict[str, Any]) -> bool:
    """Insert a row unless its key is taken; say whether it was inserted.

    Within a savepoint, since PostgreSQL refuses to go on in a transaction after an error.
    """
    try:
        with connection.begin_nested():
            connection.execute(sa.insert(table).values(row))
    except sa.exc.IntegrityError:
        return False
    return True


def _row_of(operation: Operation) -> dict[str, Any]:
    document = to_document(operation)
    return {
        "id": operation.id,
        "version": operation.version,
        "state": operation.state.value,
        "owner": operation.owner,
        "lease_until": document["lease_until"],
        "cancel_requested": operation.cancel_requested,
        "cancel_sent": operation.cancel_sent,
        "has_outcome": operation.outcome is not None,
        "created_at": document["created_at"],
        "document": json.dumps(document),
    }


def _operation_in(id_: str, document: str, lease_until: str | None) -> Operation:
    """Read an operation; the lease in its column is newer than the one in its document."""
    lease = None if lease_until is None else datetime.fromisoformat(lease_until)
    return attrs.evolve(_read(Operation, id_, document), lease_until=lease)


def _read(cls: type[T], id_: str, document: str) -> T:
    try:
        return from_document(cls, json.loads(document))
    except (InvalidDocument, ValueError) as error:
        raise StoreError(f"what the store holds as {id_} cannot be read: {error}") from error


def _instant_text(instant: datetime | None) -> str | None:
    """Write an instant as ``documents`` does, so that the two can be compared."""
    return None if instant is None else instant.astimezone(UTC).isoformat(timespec="microseconds")
