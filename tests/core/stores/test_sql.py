"""What the SQL store does beside what every store does: files, URLs, versions, faults."""

import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import attrs
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings

from karbor_backup_core import (
    Backup,
    InvalidInput,
    Operation,
    ResourceBusy,
    SharedResource,
    StoreError,
    UnknownOperation,
)
from karbor_backup_core.stores.common import write_one
from karbor_backup_core.stores.sql import SQLStore
from tests.core.stores.factories import make_backup, released_operation, submitting_operation
from tests.support import strategies
from tests.support.strategies import operation

OpenStore = Callable[[str], SQLStore]
PASSWORD = "canary-7f3a"  # noqa: S105 - it is planted to be searched for


def database(url: str) -> sqlite3.Connection:
    """Open the SQLite file beneath a store."""
    return sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)


def test_a_new_file_is_for_its_owner_only_and_so_is_what_lies_beside_it(
    open_store: OpenStore, tmp_path: Path
) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'new' / 'deep' / 'store.db'}")
    store.put_backup(make_backup())
    files = list((tmp_path / "new" / "deep").iterdir())
    assert "store.db-wal" in [each.name for each in files]
    assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "new" / "deep").stat().st_mode) == 0o700


def test_a_file_that_is_there_keeps_its_permissions(open_store: OpenStore, tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.touch(0o640)
    path.chmod(0o640)
    open_store(f"sqlite:///{path}")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_write_is_on_the_disk_when_the_call_returns(
    open_store: OpenStore, sqlite_url: str
) -> None:
    with open_store(sqlite_url)._engine.begin() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_readers_do_not_wait_for_a_writer(open_store: OpenStore, sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    store.put_backup(make_backup())
    with store._engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM backups")
        assert store.backups() == [make_backup()]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(written=strategies.operations)
def test_any_operation_is_read_back_as_it_was_written(
    open_store: OpenStore, sqlite_url: str, written: Operation
) -> None:
    store = open_store(sqlite_url)
    with store._engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM backup_locks")
        connection.exec_driver_sql("DELETE FROM resource_locks")
        connection.exec_driver_sql("DELETE FROM operations")
    added = store.add(written)
    assert store.operation(written.id) == added == attrs.evolve(written, version=1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(kept=strategies.backups)
def test_any_backup_is_read_back_as_it_was_kept(
    open_store: OpenStore, sqlite_url: str, kept: Backup
) -> None:
    store = open_store(sqlite_url)
    store.put_backup(kept)
    assert store.backup(kept.id) == kept


def test_tables_of_a_newer_version_are_refused(open_store: OpenStore, sqlite_url: str) -> None:
    open_store(sqlite_url)
    with closing(database(sqlite_url)) as newer:
        newer.execute("UPDATE schema_version SET version = 99")
    with pytest.raises(StoreError, match=r"version 99.*version 3.*use the release"):
        open_store(sqlite_url)


@pytest.mark.parametrize("create", [True, False])
def test_tables_of_an_earlier_version_are_brought_to_this_one(
    sqlite_url: str, *, create: bool
) -> None:
    written = Path(__file__).with_name("store_version_2.sql").read_text()
    with closing(database(sqlite_url)) as earlier:
        earlier.executescript(written)
    with closing(SQLStore(sqlite_url, create=create)) as store:
        assert not store.is_new
        assert store.backups() == [make_backup()]
        deleting, planned = store.operation("d-1"), store.operation("op-1")
        assert deleting.phase == 1
        assert write_one(store, released_operation(deleting)).shared_resources == ()
        alone = (SharedResource("disk", exclusive=True),)
        begun = attrs.evolve(submitting_operation(planned), shared_resources=alone)
        write_one(store, begun)
        with pytest.raises(ResourceBusy):
            store.add(attrs.evolve(begun, id="op-2"))
    with closing(SQLStore(sqlite_url)) as again:
        assert again.operation("op-1").phase == 1


def test_tables_that_were_not_all_made_are_completed(
    open_store: OpenStore, sqlite_url: str
) -> None:
    open_store(sqlite_url)
    with closing(database(sqlite_url)) as torn:
        torn.execute("DELETE FROM schema_version")
        torn.execute("DROP TABLE backups")
    assert open_store(sqlite_url).backups() == []


def test_tables_that_another_process_makes_first_are_taken_as_they_are(
    open_store: OpenStore, sql_url: str
) -> None:
    overtaken = []

    def overtake(_: object, __: object, statement: str, *___: object) -> None:
        if "CREATE TABLE" in statement and not overtaken:
            overtaken.append(statement)
            open_store(sql_url).put_backup(make_backup())

    sa.event.listen(sa.Engine, "before_cursor_execute", overtake)
    try:
        assert open_store(sql_url).backups() == [make_backup()]
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", overtake)


@pytest.mark.parametrize("what", ["operation", "backup"])
@pytest.mark.parametrize("document", ["{", "{}", '{"format": 99}'])
def test_a_document_that_cannot_be_read_is_named(
    open_store: OpenStore, sqlite_url: str, what: str, document: str
) -> None:
    store = open_store(sqlite_url)
    store.add(operation(id="one"))
    store.put_backup(make_backup("one"))
    with store._engine.begin() as connection:
        connection.execute(sa.text(f"UPDATE {what}s SET document = :it"), {"it": document})  # noqa: S608 - a fixed name
    with pytest.raises(StoreError, match="one cannot be read"):
        getattr(store, what)("one")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "names no database"),
        ("no url", "names no database"),
        (f"nosuch://user:{PASSWORD}@host/db", "names no database"),
        (f"sqlite://user:{PASSWORD}@host:port/x", "names no database"),
        ("sqlite://", "no plain file"),
        ("sqlite:///:memory:", "no plain file"),
        ("sqlite:///file:x?mode=memory&uri=true", "no plain file"),
        (f"postgresql+psycopg2://user:{PASSWORD}@host/db?password={PASSWORD}", "psycopg2"),
        (f"postgresql+asyncpg://user:{PASSWORD}@host/db", "asyncpg: use a blocking one"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused_in_one_line_without_its_password(
    url: str, says: str
) -> None:
    with pytest.raises(InvalidInput, match=says) as refused:
        SQLStore(url)
    assert PASSWORD not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_missing_server_is_reported_in_one_line_without_the_password() -> None:
    url = f"postgresql+psycopg://user:{PASSWORD}@127.0.0.1:1/db?sslpassword={PASSWORD}"
    with pytest.raises(StoreError, match=r"127\.0\.0\.1:1/db cannot be used: ") as refused:
        SQLStore(url)
    assert PASSWORD not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_text(
        "this is no database, but long enough to look like one\n" * 9
    )
    with pytest.raises(StoreError, match="not a database"):
        SQLStore(f"sqlite:///{tmp_path / 'store.db'}")


def test_a_file_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be opened"):
        SQLStore(f"sqlite:///{tmp_path / 'file' / 'store.db'}")


def test_a_table_that_vanished_is_a_fault_of_the_store(
    open_store: OpenStore, sqlite_url: str
) -> None:
    store = open_store(sqlite_url)
    with closing(database(sqlite_url)) as broken:
        broken.execute("DROP TABLE backups")
    with pytest.raises(StoreError, match="no such table: backups"):
        store.backups()


def test_a_query_for_an_id_that_no_database_can_hold_finds_nothing(
    open_store: OpenStore, sqlite_url: str
) -> None:
    with pytest.raises(UnknownOperation):
        open_store(sqlite_url).operation("\x00'; --")


def test_project_too_large_for_a_receipt_is_refused_before_any_write(
    open_store: OpenStore, sqlite_url: str
) -> None:
    store = open_store(sqlite_url)
    added = store.add(operation())
    with pytest.raises(InvalidInput, match="receipt"):
        write_one(store, attrs.evolve(added, receipt={"all": "x" * 70_000}))
    assert store.operation("op-1") == added


def test_the_largest_receipt_and_handle_are_kept(open_store: OpenStore, sql_url: str) -> None:
    store = open_store(sql_url)
    large = {"all": "\U0001f4be" * 16_000}
    kept = store.add(operation(receipt=large, backup=make_backup(handle=large)))
    assert store.operation("op-1") == kept


def test_a_closed_store_can_be_used_again(open_store: OpenStore, sql_url: str) -> None:
    store = open_store(sql_url)
    store.put_backup(make_backup())
    store.close()
    store.close()
    assert store.backups() == [make_backup()]
