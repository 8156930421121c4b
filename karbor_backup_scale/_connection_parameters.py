"""How the queue connects to its database."""

from typing import Any

import sqlalchemy as sa

from karbor_backup_core import InvalidInput
from karbor_backup_core.stores.sql import SERVER_TIMEOUTS


def postgresql_parameters(url: str) -> dict[str, Any] | None:
    """Return libpq's parameters for the database of a URL, with the time limits of the store.

    They hold the password.

    Args:
        url: SQLAlchemy's URL of the database, with any driver.

    Returns:
        None if the database is not PostgreSQL.

    Raises:
        InvalidInput: the URL names no database.
    """
    try:
        parsed = sa.make_url(url)
    except (sa.exc.ArgumentError, ValueError):
        raise InvalidInput("the queue's URL is no URL of a database") from None
    if parsed.get_backend_name() != "postgresql":
        return None
    dialect = sa.make_url("postgresql+psycopg://").get_dialect()()
    _, parameters = dialect.create_connect_args(parsed)
    return {**SERVER_TIMEOUTS, **parameters}
