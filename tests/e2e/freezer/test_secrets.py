"""A storage's secrets: in the action while it is needed, and nowhere else afterwards.

Freezer deletes by setting a mark, so its tables are read as they are.
"""

import logging
import sqlite3
import uuid
from pathlib import Path
from typing import Any

import pytest

from karbor_backup_core import Operation, Resource, Result, State, Verb
from karbor_backup_core.documents import to_document


def _database(bench: Any, canary: str) -> list[str]:
    """The tables of Freezer's database in which a text stands."""
    found = []
    for path in Path(bench.sandbox.instance.layout.home).rglob("*.db"):
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
            found += [line for line in database.iterdump() if canary in line]
    return found


def _refused(bench: Any, do: Any, canary: str) -> Operation:
    """Protect to an ftp server that refuses connections."""
    storage = {
        "kind": "ftp",
        "host": "127.0.0.1",
        "port": 9,
        "username": "u",
        "password": canary,
        "path": "/",
    }
    runner = bench.runner(storages={"old": storage})
    tree = Resource("Freezer::FileSystem::Directory", str(bench.tree()))
    options = {"backup_name": "nightly", "allow_unrestorable": True}
    operation: Operation = do.run(runner, Verb.PROTECT, tree, options)
    return operation


def test_no_secret_stays_anywhere(spotless: Any, do: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    canary = f"canary-{uuid.uuid4().hex}"
    operation = _refused(spotless, do, canary)
    assert operation.state is State.RELEASED
    assert operation.outcome.result is Result.FAILED
    assert canary not in caplog.text
    assert canary not in str(to_document(operation))
    assert canary not in repr(operation)
    assert _database(spotless, canary) == []
