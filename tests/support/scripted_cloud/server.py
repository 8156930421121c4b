"""The scripted cloud's server."""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from werkzeug.serving import WSGIRequestHandler, make_server

from sandbox.ports import HOST
from tests.support.scripted_cloud.application import SERVICES, Application
from tests.support.scripted_cloud.defaults import create_defaults
from tests.support.scripted_cloud.state import CloudState
from tests.support.scripted_cloud.tokens import TokenCache


class ScriptedCloud:
    """A cloud in this process that runs from its making to `close`, or to the end of its block.

    Args:
        auth_url: Keystone's, which says whom tokens are for.
    """

    def __init__(self, auth_url: str) -> None:
        self._application = Application(TokenCache(auth_url))
        self._server = make_server(
            HOST, 0, self._application, threaded=True, request_handler=_Handler
        )
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()
        self.renew()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def url(self) -> str:
        """The URL below which all its services are."""
        return f"http://{HOST}:{self._server.server_port}"

    @property
    def state(self) -> CloudState:
        """What there is in it."""
        return self._application.state

    def renew(self, now: Callable[[], float] = time.time, seconds: float = 0) -> CloudState:
        """Replace the state by a new one with the default resources only.

        Args:
            now: what time it is, in seconds since 1970.
            seconds: how long the creation, change or removal of a resource takes.
        """
        state = CloudState(now, seconds)
        create_defaults(state)
        self._application.state = state
        return state

    def endpoints(self, url: str | None = None) -> dict[str, str]:
        """Return the URLs of its services by their types in a catalog.

        Args:
            url: where clients find the cloud, if not at `url`: behind a proxy, say.
        """
        at = url or self.url
        return {service: f"{at}{part.mount}{part.version}" for service, part in SERVICES.items()}

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(WSGIRequestHandler):
    """Serves one connection, kept alive, and writes no log."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        """Log nothing."""
