"""The file of an SQLite store: its URL, its permissions, what else may lie there."""

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from karbor_backup_core import InvalidInput, StoreError, StoreNotFound
from karbor_backup_core.stores.sql import SQLStore
from tests.core.stores.factories import make_backup

PASSWORD = "canary-7f3a"  # noqa: S105 - it is planted to be searched for


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_folders_and_files_are_for_the_owner_whatever_the_umask_is(
    tmp_path: Path, umask: int
) -> None:
    before = os.umask(umask)
    try:
        store = SQLStore(f"sqlite:///{tmp_path}/a/b/store.db")
        store.put_backup(make_backup())
    finally:
        os.umask(before)
    modes = {stat.S_IMODE(each.stat().st_mode) for each in (tmp_path / "a" / "b").iterdir()}
    store.close()
    assert modes == {0o600}
    for folder in (tmp_path / "a", tmp_path / "a" / "b"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_tilde_stands_for_the_home_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, here = tmp_path / "home", tmp_path / "here"
    here.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(here)
    SQLStore("sqlite:///~/x.db").close()
    assert (home / "x.db").is_file()
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////~/x.db",
        "sqlite:///~nobody-of-that-name/x.db",
        "sqlite:///file:x.db?uri=true",
        "sqlite:///x.db?uri=true&mode=ro",
        "sqlite:///x.db?timeout=5",
        "sqlite:///$HOME/x.db",
        "sqlite:///${HOME}/x.db",
        "sqlite:///%USERPROFILE%/x.db",
        f"sqlite://user:{PASSWORD}@host/x.db",
        "sqlite://x.db",
        "sqlite:///:memory:",
        "sqlite://",
        "sqlite:///a\0b.db",
        "SQLITE:x.db",
        "/var/lib/x.db",
        "x.db",
        "file:///x.db",
        "sqlite3:///x.db",
    ],
)
def test_spellings_that_name_no_plain_file_are_refused_and_make_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInput) as caught:
        SQLStore(url)
    assert list(tmp_path.iterdir()) == []
    assert PASSWORD not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("content", [None, b""])
def test_reading_makes_no_store(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "folder" / "store.db"
    if content is not None:
        path.parent.mkdir()
        path.write_bytes(content)
    with pytest.raises(StoreNotFound, match="there is no store at"):
        SQLStore(f"sqlite:///{path}", create=False)
    assert path.exists() == (content is not None)
    assert path.parent.exists() == (content is not None)


@pytest.mark.parametrize("create", [True, False])
@pytest.mark.parametrize("content", [b"x", b"SQLite format 3\0", b"words\n" * 1000])
def test_a_file_that_is_no_store_stays_as_it_is(
    tmp_path: Path, content: bytes, *, create: bool
) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(content)
    with pytest.raises(StoreError) as caught:
        SQLStore(f"sqlite:///{path}", create=create)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == content


def test_the_database_of_another_program_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "places.sqlite"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE moz_places (id INTEGER)")
    content = path.read_bytes()
    for create in (True, False):
        with pytest.raises(StoreError, match=r"another program's.*moz_places"):
            SQLStore(f"sqlite:///{path}", create=create)
    assert path.read_bytes() == content


@pytest.mark.parametrize("kind", ["a directory", "a pipe", "a loop of links", "too long a name"])
def test_path_that_is_no_file_is_refused(tmp_path: Path, kind: str) -> None:
    path = tmp_path / ("x" * 300 if kind == "too long a name" else "store.db")
    if kind == "a directory":
        path.mkdir()
    elif kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a loop of links":
        path.symlink_to(path)
    with pytest.raises(StoreError, match="cannot be opened"):
        SQLStore(f"sqlite:///{path}")


def test_full_disk_is_reported_with_a_remedy_and_loses_nothing(tmp_path: Path) -> None:
    store = SQLStore(f"sqlite:///{tmp_path}/store.db")
    store.put_backup(make_backup("kept"))

    def limit(connection: Any, _: object) -> None:
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")

    sa.event.listen(store._engine, "connect", limit)
    store._engine.dispose()
    with pytest.raises(StoreError, match="the disk is full: make room there"):
        store.put_backup(make_backup("large", handle={"text": "x" * 30_000}))
    assert [each.id for each in store.backups()] == ["kept"]
    store.close()
