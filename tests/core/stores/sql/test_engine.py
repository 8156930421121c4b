"""Settings of the connections to a database server."""

import contextlib
from collections.abc import Callable, Mapping

import psycopg
import sqlalchemy as sa

from karbor_backup_core.stores.sql import SQLStore


def read_parameters(url: str) -> Mapping[str, str]:
    """Open a store; return the parameters of its connection that are not libpq's defaults."""
    opened: list[psycopg.Connection[object]] = []

    def on_connect(connection: psycopg.Connection[object], _: object) -> None:
        opened.append(connection)

    sa.event.listen(sa.Engine, "connect", on_connect)
    try:
        with contextlib.closing(SQLStore(url)):
            return opened[0].info.get_parameters()
    finally:
        sa.event.remove(sa.Engine, "connect", on_connect)


def test_server_that_disappears_is_noticed_sooner_than_a_lease_ends(
    new_postgresql_url: Callable[[], str],
) -> None:
    parameters = read_parameters(new_postgresql_url())
    assert (parameters["tcp_user_timeout"], parameters["connect_timeout"]) == ("10000", "5")
    assert parameters["keepalives_idle"] == "5"


def test_time_limits_in_the_url_are_kept(new_postgresql_url: Callable[[], str]) -> None:
    url = sa.make_url(new_postgresql_url()).update_query_dict({"tcp_user_timeout": "90000"})
    parameters = read_parameters(url.render_as_string(hide_password=False))
    assert (parameters["tcp_user_timeout"], parameters["connect_timeout"]) == ("90000", "5")
