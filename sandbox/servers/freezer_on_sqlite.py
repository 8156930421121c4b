"""Freezer's `application`, with one connection to SQLite that stays open.

Runs in Freezer's environment, as the MODULE of `serve_wsgi.py`, with one thread. oslo.db opens
SQLite's file anew for each transaction, and gives way to others after each: a wait of its own that
took two fifths of the time of a request on a busy machine, and that nobody is there to use.
"""

import importlib
from typing import Any

from oslo_db.sqlalchemy import engines  # type: ignore[import-not-found]
from sqlalchemy.dialects import plugins
from sqlalchemy.engine import URL, CreateEnginePlugin
from sqlalchemy.pool import StaticPool

PLUGIN = "sandbox_one_connection"
"""What the URL of the database names as its `plugin`."""


class OneConnection(CreateEnginePlugin):
    """Gives an engine one connection, whatever pool it was to have."""

    def __init__(self, _url: URL, arguments: dict[str, Any]) -> None:
        arguments["poolclass"] = StaticPool
        # What is imported in the main thread may have opened it.
        arguments["connect_args"]["check_same_thread"] = False

    def update_url(self, url: URL) -> URL:
        """Return the URL without this plugin."""
        return url.difference_update_query(["plugin"])


plugins.register(PLUGIN, __name__, OneConnection.__name__)
engines._thread_yield = lambda *_: None  # noqa: SLF001 - Freezer does not let it be configured

application = importlib.import_module("freezer_api.wsgi").application
