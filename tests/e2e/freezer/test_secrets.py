"""A storage's secrets: in the action while it is needed, and nowhere else afterwards.

Freezer deletes by setting a mark, so its tables are read as they are.
"""

import logging
import sqlite3
import uuid
from contextlib import closing
from pathlib import Path

import pytest

from karbor_backup_core import Operation, Resource, Result, State, Verb
from karbor_backup_core.documents import to_document
from tests.e2e.freezer.harness import FreezerHarness, run_operation
from tests.support.outcomes import get_outcome


def _find_rows(harness: FreezerHarness, canary: str) -> list[str]:
    """Return the rows of Freezer's database in which a text stands."""
    path = Path(harness.sandbox.instance.layout.data) / "freezer.db"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        rows = [
            f"{name}: {row}"
            for (name,) in names
            for row in database.execute(f'SELECT * FROM "{name}"')  # noqa: S608 - its own names
        ]
    return [row for row in rows if canary in row]


def _protect_refused(harness: FreezerHarness, canary: str) -> Operation:
    """Protect to an ftp server that refuses connections."""
    storage = {
        "kind": "ftp",
        "host": "127.0.0.1",
        "port": 9,
        "username": "u",
        "password": canary,
        "path": "/",
    }
    runner = harness.runner(storages={"old": storage})
    tree = Resource("Freezer::FileSystem::Directory", str(harness.tree()))
    options = {"backup_name": "nightly", "allow_unrestorable": True}
    operation: Operation = run_operation(runner, Verb.PROTECT, tree, options)
    return operation


def test_no_secret_remains_in_store_log_or_freezer(
    clean_harness: FreezerHarness, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    canary = f"canary-{uuid.uuid4().hex}"
    operation = _protect_refused(clean_harness, canary)
    assert operation.state is State.RELEASED
    assert get_outcome(operation).result is Result.FAILED
    assert canary not in caplog.text
    assert canary not in str(to_document(operation))
    assert canary not in repr(operation)
    # What is read is what Freezer wrote: the deleted action is there, without its secret.
    assert _find_rows(clean_harness, operation.id)
    assert _find_rows(clean_harness, canary) == []
