"""The queue's connection repeats statements until the database is back."""

import asyncio
from collections.abc import Iterator
from typing import Final

import pytest
from procrastinate.exceptions import ConnectorException

from karbor_backup_scale._connection_parameters import postgresql_parameters
from karbor_backup_scale._connector import PatientConnector
from tests.scale.harness import LONG
from tests.support.postgresql import PostgreSql, postgresql


@pytest.fixture
def own_server() -> Iterator[PostgreSql]:
    """Return a PostgreSQL that the test may stop."""
    with postgresql() as running:
        yield running


def create_connector(server: PostgreSql) -> PatientConnector:
    parameters = postgresql_parameters(server.url)
    assert parameters is not None
    return PatientConnector(parameters)


_FAIL_ONCE: Final = """
SELECT nextval('attempts') AS attempt,
       pg_terminate_backend(CASE currval('attempts') WHEN 1 THEN pg_backend_pid() ELSE 0 END)
"""
"""Its first attempt loses its connection; a sequence counts also what is rolled back."""


def test_statement_whose_connection_is_lost_is_repeated(own_server: PostgreSql) -> None:
    connector = create_connector(own_server)

    async def ask() -> int:
        await connector.open_async()
        await connector.execute_query_async("CREATE SEQUENCE attempts")
        row = await asyncio.wait_for(connector.execute_query_one_async(_FAIL_ONCE), LONG)
        await connector.close_async()
        return int(row["attempt"])

    assert asyncio.run(ask()) == 2


def test_notifications_are_heard_after_the_database_was_away(own_server: PostgreSql) -> None:
    connector = create_connector(own_server)

    async def listen() -> str:
        heard: asyncio.Queue[str] = asyncio.Queue()

        async def on_notification(*, channel: str, payload: str) -> None:
            await heard.put(f"{channel} {payload}")

        async def notify_until_heard() -> str:
            while heard.empty():
                await connector.execute_query_async("NOTIFY a, 'b'")
                await asyncio.sleep(0.1)
            return heard.get_nowait()

        await connector.open_async()
        listening = asyncio.create_task(connector.listen_notify(on_notification, ["a"]))
        assert await asyncio.wait_for(notify_until_heard(), LONG) == "a b"
        await asyncio.to_thread(own_server.stop)
        await asyncio.to_thread(own_server.start)
        while not heard.empty():
            heard.get_nowait()
        said = await asyncio.wait_for(notify_until_heard(), LONG)
        listening.cancel()
        await connector.close_async()
        return said

    assert asyncio.run(listen()) == "a b"


def test_wrong_statement_and_an_impatient_end_are_not_repeated(own_server: PostgreSql) -> None:
    connector = create_connector(own_server)

    async def ask() -> None:
        await connector.open_async()
        with pytest.raises(ConnectorException):
            await connector.execute_query_async("SELECT * FROM nothing")
        connector.patient = False
        own_server.stop()
        with pytest.raises(ConnectorException):
            await connector.execute_query_async("SELECT 1")
        await connector.close_async()

    asyncio.run(ask())
