"""Whatever the command is given, it ends in one of its ways and writes nothing raw."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import chdir, closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from karbor_backup_core import Resource
from tests.cli.command_runner import VOLUME, CommandRunner
from tests.cli.fuzz import (
    ODD_TEXTS,
    Mutation,
    argument_lists,
    check,
    mutations,
    odd_texts,
)

_SETTINGS = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
"""The command has its fixture's home and store for all examples of a test."""


@pytest.fixture
def backup(command: CommandRunner, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return a backup in the store, in a working directory of its own."""
    monkeypatch.chdir(command.config.parent)
    command.cloud.add_resource(Resource(*VOLUME), b"data")
    return command.protect()


@_SETTINGS
@given(data=st.data(), stdin=st.none() | odd_texts, last=st.sampled_from(((), ("--json",))))
def test_any_arguments(
    command: CommandRunner,
    backup: str,
    data: st.DataObject,
    stdin: str | None,
    last: tuple[str, ...],
) -> None:
    known = (backup, backup[:4], f"{backup}/x", str(command.config))
    arguments = data.draw(argument_lists(known))
    text = None if stdin is None else stdin.encode(errors="replace").decode()
    check(command, [*arguments, *last], text)


@pytest.mark.parametrize("text", ODD_TEXTS)
def test_any_file_name(command: CommandRunner, backup: str, text: str) -> None:
    for arguments in (
        ("list", "--config", text),
        ("restore", backup, "--options", text),
        ("restore", "--from", text),
    ):
        result = check(command, arguments, "")
        assert (result.exit_code, result.stdout) == (2, "")


_CONFIGURATIONS = (
    b"",
    b"\xff\xfe",
    b"\xef\xbb\xbfdefault_backend = 'mine'",
    b"a" * 70_000,
    b"[" * 5000,
    b"store = 1",
    b"[[store]]",
    b"[[backends]]",
    b"backends = []",
    b"[backends]\nmine = 'x'",
    b"[backends.'']\nuse = ''",
    b"[backends.'a\\u001b']\nuse = 'fake'",
    b'[backends."a\\u001b[2J\\n"]\nuse = "no\\u001b[2J\\nne"',
    b"[store]\nurl = 'sqlite:////proc/x/y'",
    b"[store]\nurl = 'sqlite:///\\u0000'",
    b'[store]\nurl = "sqlite:///a\\u0000b"',
    b'[store]\nurl = "sqlite:///a\\u001b[2Jb/c"',
    b"[store]\nurl = 'sqlite://'",
    b"[store]\nurl = 'sqlite:///:memory:'",
    b"[store]\nurl = 'postgresql+none://x'",
    b"[store]\nurl = 'postgresql+psycopg://u:p@127.0.0.1:1/x'",
    b"[store]\nurl = 'postgresql+psycopg://u:p@127.0.0.1:999999/x'",
    b"[store]\nurl = 'mysql://u:p@h/x'",
    b"[store]\nurl = 'sqlite:///x?uri=true&mode=memory'",
    b"[store]\nurl = 'sqlite:///x?timeout=soon'",
    b"[store]\nurl = 'sqlite:///x?nonsense=1'",
    b"[store]\nurl = 'sqlite:///" + b"d/" * 5000 + b"x'",
    b"[store]\nurl = 'sqlite:////dev/null'",
    b"[store]\nurl = 'sqlite:////dev/full'",
    b"[store]\nurl = {env = 'A\\u0000B'}",
    b'[store]\nurl = {env = "A\\u0000B"}',
    b'[store]\nurl = {env = "A=B"}',
    b'[store]\nurl = {env = ""}',
    b"[store]\nurl = {file = '/dev/zero'}",
    b"[store]\nurl = {file = '/'}",
    b"[store]\nurl = {file = '" + b"x" * 5000 + b"'}",
    b"[store]\nurl = {file = 'x', env = 'y'}",
    b"[documents]\nkeys = [{file = '/nowhere'}]",
    b"[documents]\nkeys = [{env = 'UNSET'}]",
    b"[documents]\nkeys = []\nrequire_signature = true",
    b"[policy]\nlease = '1e9'",
    b"[policy]\nlease = -1",
    b"[policy]\nlease = true",
    b"[policy]\nlease = 1979-05-27T07:32:00Z",
    b"[policy]\nattempts = 9223372036854775807",
    b"[policy]\nattempts = 9223372036854775808",
    b"[policy]\npoll_share = 1e-320",
    b"[policy]\ndeadline = 1e-9",
    b"[backends.mine]\nuse = 'fake'\ncloud = 1979-05-27",
    b"[backends.mine]\nuse = 'fake'\nsame_as = [1]",
    b"default_backend = 'x'\n[backends.y]\nuse = 'fake'",
)
_COMMANDS = (
    ("list",),
    ("list", "--json"),
    ("backends", "--check"),
    ("protect", *VOLUME, "-o", "backup_name=x"),
    ("resume",),
)


@pytest.mark.parametrize("number", range(len(_CONFIGURATIONS)))
def test_broken_configuration(command: CommandRunner, home: Path, number: int) -> None:
    folder = home / "cwd"
    folder.mkdir()
    command.config.write_bytes(_CONFIGURATIONS[number])
    with chdir(folder):
        for arguments in _COMMANDS:
            check(command, arguments)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("".join(f"k{number} = 1\n" for number in range(100_000)), "and 99980 more"),
        (f"{'k' * 1_000_000} = 1", "characters)"),
        (f"default_backend = {'[' * 10}'{'k' * 1_000_000}'{']' * 10}", "give text"),
        (f"backends.x.use = {{ {'k' * 1_000_000} = 1 }}", "give text"),
    ],
    ids=["many", "long", "deep", "long value"],
)
def test_many_or_long_faults_are_one_short_line(
    command: CommandRunner, text: str, told: str
) -> None:
    command.config.write_text(text)
    result = check(command, ["list"])
    assert result.exit_code == 2
    assert told in result.stderr
    assert len(result.stderr) < 3000


@_SETTINGS
@given(
    changes=st.lists(mutations, min_size=1, max_size=3),
    as_json=st.sampled_from(((), ("--json",))),
)
def test_any_document_of_a_backup(
    command: CommandRunner, backup: str, changes: list[Mutation], as_json: tuple[str, ...]
) -> None:
    document = json.loads(command("show", backup, "--document").stdout)
    for change in changes:
        document = change.apply(document)
    arguments = ("restore", "--from", "-", "-o", "restore_name=x", *as_json)
    check(command, arguments, json.dumps(document))


_VERBS = (
    "list",
    "operations",
    "resume",
    "show",
    "restore",
    "delete",
    "verify",
    "cancel",
    "abandon",
)
_COLUMNS = {
    "operations": ("id", "version", "state", "owner", "cancel_requested", "created_at", "document"),
    "backups": ("id", "created_at", "document"),
}
_odd_cells = st.one_of(
    st.sampled_from(
        ["", b"\xff\x00", 2**62, -1, 1.5, "2026-01-01", "a\0b", "\x1b[2J\n", "x" * 9999]
    ),
    st.text(max_size=5),
)


@contextmanager
def _spoiled(command: CommandRunner) -> Iterator[sqlite3.Connection]:
    """Yield a connection to the store, in which all is as before in the end."""
    with (
        closing(sqlite3.connect(command.database)) as connection,
        closing(sqlite3.connect(":memory:")) as kept,
    ):
        connection.backup(kept)
        try:
            yield connection
        finally:
            connection.rollback()
            kept.backup(connection)


def _arguments(verb: str, backup: str) -> tuple[str, ...]:
    named = {"restore": (backup, "-o", "restore_name=x"), "delete": (backup, "--yes")}
    return (verb, *named.get(verb, () if verb in ("list", "operations", "resume") else (backup,)))


@_SETTINGS
@given(
    changes=st.lists(mutations, min_size=1, max_size=3),
    table=st.sampled_from(sorted(_COLUMNS)),
    verb=st.sampled_from(_VERBS),
    as_json=st.sampled_from(((), ("--json",))),
)
def test_any_document_in_a_row(
    command: CommandRunner,
    backup: str,
    changes: list[Mutation],
    table: str,
    verb: str,
    as_json: tuple[str, ...],
) -> None:
    with _spoiled(command) as connection:
        query = f"SELECT document FROM {table} WHERE id = ?"  # noqa: S608 - one of two
        document = json.loads(connection.execute(query, (backup,)).fetchone()[0])
        for change in changes:
            document = change.apply(document)
        update = f"UPDATE {table} SET document = ? WHERE id = ?"  # noqa: S608 - one of two
        connection.execute(update, (json.dumps(document), backup))
        connection.commit()
        check(command, (*_arguments(verb, backup), *as_json))


@_SETTINGS
@given(
    cell=_odd_cells,
    column=st.sampled_from([(table, each) for table in _COLUMNS for each in _COLUMNS[table]]),
    verb=st.sampled_from(_VERBS),
    as_json=st.sampled_from(((), ("--json",))),
)
def test_any_cell_of_a_row(
    command: CommandRunner,
    backup: str,
    cell: str | bytes | float,
    column: tuple[str, str],
    verb: str,
    as_json: tuple[str, ...],
) -> None:
    with _spoiled(command) as connection:
        connection.execute(f"UPDATE {column[0]} SET {column[1]} = ?", (cell,))  # noqa: S608 - a column's name
        connection.commit()
        check(command, (*_arguments(verb, backup), *as_json))


_INSTANTS = (
    "created_at",
    "submitted_at",
    "ended_at",
    "deadline",
    "grace_until",
    "retry.not_before",
    "retry.unknown_since",
    "lease.until",
)
_LIMITS = (
    "9999-12-31T23:59:59.999999+00:00",
    "8999-12-31T00:00:00.000000+00:00",
    "0001-01-01T00:00:00+00:00",
)


@pytest.mark.parametrize("instant", _LIMITS)
@pytest.mark.parametrize("field", _INSTANTS)
@pytest.mark.parametrize("state", ["planned", "submitting", "running", "releasing", "released"])
def test_instant_that_cannot_be_computed_with(
    command: CommandRunner, backup: str, state: str, field: str, instant: str
) -> None:
    with _spoiled(command) as connection:
        query = "SELECT document FROM operations WHERE id = ?"
        document = json.loads(connection.execute(query, (backup,)).fetchone()[0])
        if state not in ("releasing", "released"):
            document |= {"outcome": None, "ended_at": None}
        document |= {"state": state, "phase": 1}
        part, _, name = field.rpartition(".")
        if part == "lease":
            document[part] = {"owner": "somebody"}
        (document[part] if part else document)[name] = instant
        update = "UPDATE operations SET document = ?, state = ? WHERE id = ?"
        connection.execute(update, (json.dumps(document), state, backup))
        connection.commit()
        short = "[policy]\nretry_after_limit = 0.02"
        command.config.write_text(command.config.read_text().replace("[policy]", short))
        for arguments in (("show", backup), ("resume",)):
            check(command, arguments)
