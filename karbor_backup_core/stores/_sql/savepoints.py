"""Inserts that may be refused, within the transaction of their caller."""

import contextlib
from typing import Any

import sqlalchemy as sa


def try_insert(connection: sa.Connection, statement: sa.Insert, row: dict[str, Any]) -> bool:
    """Insert a row unless its key is taken; return whether it was inserted."""
    try:
        with _savepoint(connection):
            connection.execute(statement, row)
    except sa.exc.IntegrityError:
        return False
    return True


def _savepoint(connection: sa.Connection) -> contextlib.AbstractContextManager[object]:
    """Run statements in a savepoint, so that the transaction continues after a failure.

    SQLite undoes the failed statement only; PostgreSQL would refuse all later ones.
    """
    if connection.dialect.name == "sqlite":
        return contextlib.nullcontext()
    return connection.begin_nested()
