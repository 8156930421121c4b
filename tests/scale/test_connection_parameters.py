"""The parameters by which the queue connects; no server is asked."""

import pytest

from karbor_backup_core import InvalidInput
from karbor_backup_scale._connection_parameters import postgresql_parameters


def test_time_limits_of_the_store_are_in_the_parameters() -> None:
    parameters = postgresql_parameters("postgresql+psycopg2://u:pw@h:5433/d?connect_timeout=3")
    assert parameters is not None
    assert parameters["tcp_user_timeout"] == 10_000
    expected = {"host": "h", "port": 5433, "user": "u", "password": "pw", "dbname": "d"}
    assert {**parameters, **expected, "connect_timeout": "3"} == parameters


def test_other_databases_have_no_parameters_of_postgresql() -> None:
    assert postgresql_parameters("sqlite:///x") is None
    with pytest.raises(InvalidInput):
        postgresql_parameters("no url")
