"""A PostgreSQL for the tests of a module, and in it a database for each test."""

import itertools
from collections.abc import Callable, Iterator

import pytest
import sqlalchemy as sa

from tests.core.execution.killed_runner import serve_cloud
from tests.scale.harness import WorkerHarness, worker_harness
from tests.support.postgresql import PostgreSql, postgresql


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSql]:
    """Return a PostgreSQL that runs."""
    with postgresql() as running:
        yield running


@pytest.fixture(scope="module")
def new_url(server: PostgreSql) -> Callable[[], str]:
    """Return a function that makes a database, and returns its URL."""
    numbers = itertools.count()

    def create() -> str:
        name = f"test_{next(numbers)}"
        with server.connect() as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        url = sa.make_url(server.url).set(database=name)
        return url.render_as_string(hide_password=False)

    return create


@pytest.fixture
def url(new_url: Callable[[], str]) -> str:
    """Return the URL of a database of the test's own."""
    return new_url()


@pytest.fixture
def harness(url: str) -> Iterator[WorkerHarness]:
    """Return a harness on a database of the test's own."""
    with worker_harness(url, serve_cloud) as created:
        yield created
