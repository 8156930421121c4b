"""One row of the store that cannot be read is named, and keeps nobody from the others."""

import json
import sqlite3
from contextlib import closing

import pytest

from tests.cli.command_runner import CommandRunner

_BAD = {
    "no JSON": ("UPDATE {table} SET document = 'x' WHERE id = ?", "its document is no JSON"),
    "an empty text": ("UPDATE {table} SET document = '' WHERE id = ?", "its document is no JSON"),
    "another JSON value": ("UPDATE {table} SET document = '[]' WHERE id = ?", "expected an object"),
    "half of it": (
        "UPDATE {table} SET document = substr(document, 1, 40) WHERE id = ?",
        "its document is no JSON",
    ),
    "bytes": ("UPDATE {table} SET document = x'00ff' WHERE id = ?", "no text but bytes"),
    "no UTF-8": (
        "UPDATE {table} SET document = CAST(x'7b22ff227d' AS TEXT) WHERE id = ?",
        "its document is no JSON",
    ),
    "a newer format": (
        "UPDATE {table} SET document = json_set(document, '$.format', 99) WHERE id = ?",
        "newer karbor-backup",
    ),
    "something unknown": (
        "UPDATE {table} SET document = json_set(document, '$.extra', 1) WHERE id = ?",
        "unknown: 'extra'",
    ),
    "something missing": (
        "UPDATE {table} SET document = json_remove(document, '$.backend') WHERE id = ?",
        "missing",
    ),
    "a wrong type": (
        "UPDATE {table} SET document = json_set(document, '$.resource', 5) WHERE id = ?",
        "resource",
    ),
    "another's document": (
        "UPDATE {table} SET document = json_set(document, '$.id', 'other') WHERE id = ?",
        "that of other",
    ),
    "deep nesting": (
        "UPDATE {table} SET document = '" + "[" * 100_000 + "' WHERE id = ?",
        "cannot be read",
    ),
    "too many digits": (
        "UPDATE {table} SET document = '" + "9" * 5_000 + "' WHERE id = ?",
        "cannot be read",
    ),
}
_BAD_OPERATIONS = {
    "another version": ("UPDATE operations SET version = 77 WHERE id = ?", "version 77"),
}


def corrupt_row(command: CommandRunner, statement: str, id_: str) -> None:
    """Change a row of the store as no karbor-backup would."""
    with closing(sqlite3.connect(command.database)) as connection, connection:
        assert connection.execute(statement, (id_,)).rowcount == 1


@pytest.mark.parametrize("kind", _BAD)
def test_a_bad_backup_is_named_and_the_others_are_listed_and_restored(
    command: CommandRunner, kind: str
) -> None:
    bad, good = command.protect(), command.protect()
    statement, reason = _BAD[kind]
    corrupt_row(command, statement.format(table="backups"), bad)

    listed = command("list")
    assert listed.exit_code == 1
    assert good in listed.stdout
    assert bad not in listed.stdout
    (told,) = listed.stderr.splitlines()
    assert f"warning: backup {bad} in the store cannot be read" in told
    assert reason in told
    document = command.json("list", status=1)
    assert [each["id"] for each in document["backups"]] == [good]
    assert [each["id"] for each in document["unreadable"]] == [bad]

    assert command("show", good).exit_code == 0
    assert command("restore", good, "-o", "restore_name=again").exit_code == 0
    refused = command("restore", bad, "-o", "restore_name=again")
    assert refused.exit_code == 1
    assert bad in refused.stderr
    assert refused.stderr.count("\n") == 1
    assert bad in command("show", bad).stderr


@pytest.mark.parametrize("kind", [*_BAD, *_BAD_OPERATIONS])
def test_a_bad_operation_is_named_and_the_others_are_listed(
    command: CommandRunner, kind: str
) -> None:
    bad, good = command.protect(), command.protect()
    statement, reason = (_BAD | _BAD_OPERATIONS)[kind]
    corrupt_row(command, statement.format(table="operations"), bad)
    listed = command("operations", "--all")
    assert listed.exit_code == 1
    assert good in listed.stdout
    (told,) = listed.stderr.splitlines()
    assert f"warning: operation {bad} in the store cannot be read" in told
    assert reason in told
    shown = command("show", bad)
    assert shown.exit_code == 1
    assert f"operation {bad}" in shown.stderr
    assert "volume-1" in shown.stdout, "its backup can be read"
    assert command("verify", bad).exit_code == 0
    assert command("list").exit_code == 0


def test_resume_goes_on_with_the_others(command: CommandRunner) -> None:
    bad = command.protect()
    corrupt_row(command, "UPDATE operations SET state = 'running', version = 77 WHERE id = ?", bad)
    result = command("resume")
    assert result.exit_code == 1
    assert bad in result.stderr
    assert result.stdout == "nothing to resume\n"


@pytest.mark.parametrize("lease", ["soon", "2026-01-01T00:00:00"])
def test_a_lease_that_is_no_instant_is_named(command: CommandRunner, lease: str) -> None:
    bad, good = command.protect(), command.protect()
    corrupt_row(command, "UPDATE operations SET owner = 'somebody' WHERE id = ?", bad)
    corrupt_row(command, "INSERT INTO leases (owner, lease_until) VALUES ('somebody', ?)", lease)
    listed = command("operations", "--all")
    assert listed.exit_code == 1
    assert good in listed.stdout
    assert f"operation {bad}" in listed.stderr
    assert "its lease is no instant" in listed.stderr


def test_many_bad_rows_are_counted(command: CommandRunner) -> None:
    command.protect()
    with closing(sqlite3.connect(command.database)) as connection, connection:
        connection.executemany(
            "INSERT INTO backups (id, created_at, document) VALUES (?, '', '{}')",
            [(f"bad-{number}",) for number in range(1000)],
        )
    told = command("list").stderr.splitlines()
    assert len(told) == 21
    assert "980 more" in told[-1]
    assert len(command.json("list", status=1)["unreadable"]) == 1000


def test_an_id_from_the_store_cannot_write_on_the_terminal(command: CommandRunner) -> None:
    command.open_store()
    with closing(sqlite3.connect(command.database)) as connection, connection:
        connection.execute("INSERT INTO backups VALUES (?, '', ?)", ("a\x1b[2Jb\n", "{}"))
    told = command("list")
    assert "\x1b" not in told.stderr
    assert told.stderr.count("\n") == 1
    assert json.loads(command("list", "--json").stdout)["unreadable"][0]["id"] == "a\x1b[2Jb\n"


def test_a_long_id_is_cut_and_leaves_room_for_the_reason(command: CommandRunner) -> None:
    bad = command.protect()
    corrupt_row(command, "UPDATE operations SET id = printf('%.*c', 10000, 'x') WHERE id = ?", bad)
    told = command("operations").stderr
    assert f"(10000 characters) in the store cannot be read: its document is that of {bad}" in told
    assert len(told) < 1000
