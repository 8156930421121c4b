"""A store in any database that SQLAlchemy supports; without a server, in an SQLite file."""

import contextlib
import functools
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from karbor_backup_core._errors import Busy, InvalidInput, KarborBackupError, StoreError
from karbor_backup_core._identifiers import is_storable_text
from karbor_backup_core._model import Backup, Lease, Operation
from karbor_backup_core.owners import holds_lease, is_free
from karbor_backup_core.stores import common
from karbor_backup_core.stores._sql import (
    engine,
    error_messages,
    rows,
    statements,
    tables,
    transaction_retries,
    writes,
)
from karbor_backup_core.stores._sql.engine import SERVER_TIMEOUTS
from karbor_backup_core.stores._sql.group_commit import GroupCommit
from karbor_backup_core.stores._sql.rows import UnreadableRow, UnreadableRowError

__all__ = ["SERVER_TIMEOUTS", "SQLStore", "UnreadableRow", "UnreadableRowError"]

T = TypeVar("T")

_log: Final = logging.getLogger("karbor_backup.store")

_BATCH_SIZE: Final = 200
"""Operations in a transaction: no other writer waits for long."""


class SQLStore:
    """Keeps operations and backups in a database; see ``Store`` for the rules.

    Args:
        url: SQLAlchemy's URL of the database, such as ``sqlite:////var/lib/backups.db``. A new
            SQLite file can be read by its owner only.
        create: create the database's file and tables where they are missing.
        risk_network_filesystem: use an SQLite file also on a file system that several machines
            may share, where it can be damaged.

    Attributes:
        is_new: whether the tables were created just now.

    Raises:
        InvalidInput: the URL names no database that can be used here.
        StoreNotFound: there is no store, and ``create`` is False.
        StoreError: the database cannot be reached, or its tables are of another version.
    """

    def __init__(
        self, url: str | sa.URL, *, create: bool = True, risk_network_filesystem: bool = False
    ) -> None:
        self._engine = engine.create_engine(
            url, create=create, risk_network_filesystem=risk_network_filesystem
        )
        self._group_commit = GroupCommit(self._transaction, KarborBackupError)
        with contextlib.ExitStack() as on_failure, self._translate_errors():
            on_failure.callback(self.close)
            self.is_new = tables.check_or_create_tables(self._engine, create=create)
            on_failure.pop_all()

    @property
    def display_url(self) -> str:
        """The location of the store for display, without secrets."""
        return engine.display_url(self._engine.url)

    def add(self, operation: Operation) -> Operation:
        """Add a new operation and return it as stored, with version 1."""
        return self._write_with_retries(
            lambda connection: writes.insert_operation(connection, operation)
        )

    def write(self, operations: Sequence[Operation]) -> Mapping[str, Operation | KarborBackupError]:
        """Replace the versions that were read, each separately, in few transactions."""
        stored: dict[str, Operation | KarborBackupError] = {}
        waiting = common.sort_by_id(operations)
        for first in range(0, len(waiting), _BATCH_SIZE):
            batch = waiting[first : first + _BATCH_SIZE]
            try:
                stored |= self._write_with_retries(
                    functools.partial(writes.update_operations, operations=batch)
                )
            except (Busy, InvalidInput):
                stored |= common.write_each(batch, self._replace)
            except StoreError as error:
                stored |= {operation.id: error for operation in batch}
        return stored

    def operation(self, operation_id: str) -> Operation:
        """Return one operation."""
        for row in self._select_row(statements.SELECT_OPERATION, operation_id):
            return rows.row_to_operation(*row)
        raise common.unknown_operation_error(operation_id)

    def operations(
        self, *, unreleased: bool = False, on_unreadable: rows.OnUnreadable | None = None
    ) -> Sequence[Operation]:
        """Return all operations, or only those that are not released; the oldest first.

        Args:
            unreleased: leave out those that are released.
            on_unreadable: gets each row that cannot be read; without it, it is logged.
        """
        query = statements.SELECT_UNRELEASED if unreleased else statements.SELECT_OPERATIONS
        return rows.read_rows(
            rows.row_to_operation, self._select(query), on_unreadable or _log_unreadable_row
        )

    def unowned(
        self,
        now: datetime,
        lease: timedelta,
        *,
        on_unreadable: rows.OnUnreadable | None = None,
    ) -> Sequence[Operation]:
        """Return the unreleased operations that no process drives; the oldest first.

        Args:
            now: the present instant, by the clock that leases are written with.
            lease: the duration of a lease, where the owner's name does not say it.
            on_unreadable: gets each row that cannot be read; without it, it is logged.
        """
        living = [
            row.owner
            for row in self._select(statements.SELECT_LEASES)
            if (until := rows.parse_instant(row.lease_until)) is not None
            and holds_lease(Lease(row.owner, until), now, lease)
        ]
        found = rows.read_rows(
            rows.row_to_operation,
            self._select(statements.SELECT_NOT_OWNED, living=living),
            on_unreadable or _log_unreadable_row,
        )
        # An owner that has no row has the lease that was written with the operation.
        return [each for each in found if is_free(each, now, lease)]

    def operation_ids(self, prefix: str) -> Sequence[str]:
        """Return the ids of the operations that begin with a text, also of unreadable ones."""
        return self._select_ids(statements.SELECT_OPERATION_IDS, prefix)

    def cancel_requests(self, owner: str) -> Sequence[str]:
        """Return the ids of that owner's operations that are to be cancelled."""
        return [row.id for row in self._select(statements.SELECT_CANCEL_REQUESTS, this_owner=owner)]

    def renew_lease(self, owner: str, lease_until: datetime) -> None:
        """Extend the lease on all of that owner's operations; their versions stay."""
        self._write_with_retries(
            lambda connection: writes.renew_lease(connection, owner, lease_until)
        )

    def now(self) -> datetime | None:
        """Return the time of the database server; None for SQLite, which has no own clock."""
        query = statements.SELECT_NOW.get(self._engine.dialect.name)
        if query is None:
            return None
        (row,) = self._select(query)
        shown: datetime = row[0]
        return shown.replace(tzinfo=UTC) if shown.tzinfo is None else shown.astimezone(UTC)

    def delete_lease(self, owner: str) -> None:
        """Remove the lease of an owner that drives no operations any more."""
        values = {"this_owner": owner}
        self._write_with_retries(
            lambda connection: connection.execute(statements.DELETE_LEASE, values)
        )

    def take_over(self, operation: Operation, seen: Operation) -> Operation:
        """Write as ``write`` does, provided that the lease is still the one in ``seen``."""
        return self._write_with_retries(
            lambda connection: writes.take_over(connection, operation, seen)
        )

    def purge(self, before: datetime) -> int:
        """Remove released operations created before an instant; return their number."""
        values = {"before": rows.format_instant(before)}
        return self._write_with_retries(
            lambda connection: connection.execute(statements.DELETE_RELEASED, values).rowcount
        )

    def put_backup(self, backup: Backup) -> None:
        """Add a backup that was made elsewhere; it replaces one with the same id."""
        self._write_with_retries(lambda connection: writes.put_backup(connection, backup))

    def backup(self, backup_id: str) -> Backup:
        """Return one backup."""
        for row in self._select_row(statements.SELECT_BACKUP, backup_id):
            return rows.row_to_backup(*row)
        raise common.unknown_backup_error(backup_id)

    def backups(self, *, on_unreadable: rows.OnUnreadable | None = None) -> Sequence[Backup]:
        """Return all backups, the oldest first.

        Args:
            on_unreadable: gets each row that cannot be read; without it, it is logged.
        """
        found = self._select(statements.SELECT_BACKUPS)
        return rows.read_rows(rows.row_to_backup, found, on_unreadable or _log_unreadable_row)

    def backup_ids(self, prefix: str) -> Sequence[str]:
        """Return the ids of the backups that begin with a text, also of unreadable ones."""
        return self._select_ids(statements.SELECT_BACKUP_IDS, prefix)

    def own_paths(self) -> Sequence[str]:
        """Return the file of an SQLite database; no path for a database server."""
        return engine.database_files(self._engine.url)

    def close(self) -> None:
        """Close connections and files."""
        self._engine.dispose()

    def _replace(self, operation: Operation) -> Operation:
        return self._write_with_retries(
            lambda connection: writes.update_operation(connection, operation)
        )

    def _select_row(self, query: sa.Select[Any], id_: str) -> Sequence[Any]:
        """Return the row of an id; None where there is none or no database can store the id."""
        return self._select(query, this=id_) if is_storable_text(id_) else []

    def _select_ids(self, query: sa.Select[Any], prefix: str) -> Sequence[str]:
        if not is_storable_text(prefix):
            return []
        found = self._select(query, prefix=prefix, length=len(prefix))
        # Some databases compare text without regard to case, so that a equals A.
        return [str(row.id) for row in found if str(row.id).startswith(prefix)]

    def _select(self, query: sa.Select[Any], **values: Any) -> Sequence[Any]:
        return transaction_retries.run_with_retries(self._select_once, query, values)

    def _select_once(self, query: sa.Select[Any], values: Mapping[str, Any]) -> Sequence[Any]:
        with self._transaction() as connection:
            return connection.execute(query, values).all()

    def _write_with_retries(self, write: Callable[[sa.Connection], T]) -> T:
        """Make a write, repeated where a repeat helps at once; it is durable on return."""
        return transaction_retries.run_with_retries(self._write_once, write)

    def _write_once(self, write: Callable[[sa.Connection], T]) -> T:
        """Make a write.

        Only writes to SQLite share a transaction: SQLite lets one transaction write at a time,
        whereas a server lets each connection write.
        """
        if self._engine.dialect.name == "sqlite":
            return self._group_commit.run(write)
        with self._transaction() as connection:
            return write(connection)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        """Run a transaction that is committed on exit, and rolled back on an exception."""
        with self._translate_errors(), self._engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.SQLAlchemyError as error:
            reason = error_messages.format_error(error, self.own_paths())
            raise StoreError(f"the store {self.display_url} cannot be used: {reason}") from error


def _log_unreadable_row(row: UnreadableRow) -> None:
    _log.warning("%s %s left out, since it cannot be read: %s", row.kind, row.id, row.reason)
