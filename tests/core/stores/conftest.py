"""The stores that the shared tests run on: memory, SQLite, and a real PostgreSQL."""

import contextlib
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from karbor_backup_core import MemoryStore, Store
from karbor_backup_core.stores.sql import SQLStore
from tests.support.postgresql import postgresql

NewUrl = Callable[[], str]


@pytest.fixture(scope="session")
def new_postgresql_url() -> Iterator[NewUrl]:
    """Start a PostgreSQL on a Unix socket; each call makes a place of its own in it."""
    with postgresql() as server:
        url = sa.make_url(server.url)
        engine = sa.create_engine(url)
        numbers = itertools.count()

        def new_url() -> str:
            name = f"test_{next(numbers)}"
            with engine.begin() as connection:
                connection.execute(sa.schema.CreateSchema(name))
            own = url.update_query_dict({"options": f"-csearch_path={name}"})
            return own.render_as_string(hide_password=False)

        yield new_url
        engine.dispose()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """Return the URL of a SQLite file that is not there yet."""
    return f"sqlite:///{tmp_path / 'store.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def sql_url(request: pytest.FixtureRequest) -> str:
    """Return the URL of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        return request.getfixturevalue("sqlite_url")
    return request.getfixturevalue("new_postgresql_url")()


@pytest.fixture
def open_store() -> Iterator[Callable[[str], SQLStore]]:
    """Yield a function that opens stores, which are closed when the test is over."""
    with contextlib.ExitStack() as opened:

        def opener(url: str) -> SQLStore:
            store = SQLStore(url)
            opened.callback(store.close)
            return store

        yield opener


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, open_store: Callable[[str], SQLStore]) -> Store:
    """Return an empty store, of each kind in turn."""
    match request.param:
        case "memory":
            return MemoryStore()
        case "sqlite":
            return open_store(request.getfixturevalue("sqlite_url"))
        case _:
            return open_store(request.getfixturevalue("new_postgresql_url")())
