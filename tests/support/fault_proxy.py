"""A reverse proxy in this process that spoils chosen requests and keeps count of all.

It stands between a client and a real server, so that each of a client's requests can meet each
fault in turn::

    with FaultProxy(sandbox.freezer_url) as proxy:
        proxy.plan(http_faults.lost_reply(), at=3)
        ...  # a client that was given proxy.url
    assert not proxy.unfired()
"""

import contextlib
import http.client
import http.server
import socket
import sys
import threading
from collections.abc import Iterable
from email.message import Message
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import attrs

from sandbox.ports import HOST
from tests.support.http_faults import FaultRule, HttpFault, HttpResponse

UPSTREAM_TIMEOUT = 60.0
"""Seconds that the server has for an answer."""

_HOP_BY_HOP = frozenset(
    {
        "connection",
        "content-length",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)


@attrs.frozen
class RecordedRequest:
    """A request that came to the proxy.

    Attributes:
        number: counted from 1.
        method: the HTTP method.
        path: without the query.
        query: without the question mark.
        status: what the client was answered; None when it was given no answer.
        fault: the fault that struck, if any.
    """

    number: int
    method: str
    path: str
    query: str
    status: int | None
    fault: HttpFault | None


class FaultProxy:
    """A proxy that runs from its making to `close`, or to the end of its `with` block.

    Args:
        upstream: the URL of the server, without a path.
    """

    def __init__(self, upstream: str) -> None:
        address = urlsplit(upstream)
        self._upstream = (str(address.hostname), address.port or http.client.HTTP_PORT)
        self._lock = threading.Lock()
        self._rules: list[FaultRule] = []
        self._requests: list[RecordedRequest] = []
        self._count = 0
        self._server = _Server(self)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()

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
        """The URL that clients are to be given instead of the server's."""
        return f"http://{HOST}:{self._server.server_port}"

    @property
    def requests(self) -> list[RecordedRequest]:
        """The requests that have been dealt with, in the order in which they came."""
        with self._lock:
            return sorted(self._requests, key=lambda request: request.number)

    @property
    def connections(self) -> int:
        """How many connections clients have opened."""
        return self._server.accepted

    def plan(
        self,
        fault: HttpFault,
        *,
        at: int = 1,
        times: int | None = 1,
        method: str | None = None,
        path: str | None = None,
    ) -> FaultRule:
        """Plan a fault; of several that are due at a request the one planned first strikes.

        The arguments are those of `Plan`. Requests count from now on.
        """
        plan = FaultRule(fault, at=at, times=times, method=method, path=path)
        self.add_rule(plan)
        return plan

    def add_rule(self, plan: FaultRule) -> None:
        """Let a plan of another proxy's hold here too: requests to both count together."""
        with self._lock:
            self._rules.append(plan)

    def remove_rule(self, plan: FaultRule) -> None:
        """Take a plan back; one that does not hold here is none to take back."""
        with self._lock:
            self._rules = [each for each in self._rules if each is not plan]

    def unfired(self) -> list[FaultRule]:
        """Return the plans that never struck: a test that expects a fault proves nothing then."""
        with self._lock:
            return [plan for plan in self._rules if not plan.fired]

    def clear(self) -> None:
        """Forget all plans and requests, and count from 1 again."""
        with self._lock:
            self._rules.clear()
            self._requests.clear()
            self._count = 0

    def close(self) -> None:
        """Stop; whoever still waits for an answer is cut off."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def match_request(self, method: str, path: str) -> tuple[int, HttpFault | None]:
        """Count a request, and return its number and the fault that strikes it."""
        with self._lock:
            self._count += 1
            due = [plan for plan in self._rules if plan.matches(method, path)]
            if not due:
                return self._count, None
            due[0].fired += 1
            return self._count, due[0].fault

    def record_request(self, request: RecordedRequest) -> None:
        """Remember a request that has been dealt with."""
        with self._lock:
            self._requests.append(request)

    def forward_request(
        self, method: str, target: str, headers: Message, body: bytes
    ) -> HttpResponse:
        """Return the server's answer to a request.

        Raises:
            OSError: it gave none.
            http.client.HTTPException: it gave none that can be understood.
        """
        connection = http.client.HTTPConnection(*self._upstream, timeout=UPSTREAM_TIMEOUT)
        with contextlib.closing(connection):
            passed_on = dict(_end_to_end_headers(headers.items()))
            connection.request(method, target, body or None, passed_on)
            reply = connection.getresponse()
            return HttpResponse(reply.status, _end_to_end_headers(reply.getheaders()), reply.read())


class _Handler(http.server.BaseHTTPRequestHandler):
    """Serves one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: "_Server"

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urlsplit(self.path)
        number, fault = self.server.proxy.match_request(self.command, url.path)
        answer = self._respond(fault, body)
        status = None if answer is None else answer.status
        self.server.proxy.record_request(
            RecordedRequest(number, self.command, url.path, url.query, status, fault)
        )
        if answer is not None:
            self._send(answer)
            return
        self.close_connection = True
        if fault is not None and fault.hangs:
            # Comes back when the client, or the proxy itself, closes the connection.
            self.connection.recv(1)

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815 - http.server's names

    def _respond(self, fault: HttpFault | None, body: bytes) -> HttpResponse | None:
        """Return what the client gets, None for nothing."""
        answer = None
        if fault is None or fault.delivered:
            # A server that does not answer is passed on as just that.
            with contextlib.suppress(OSError, http.client.HTTPException):
                answer = self.server.proxy.forward_request(
                    self.command, self.path, self.headers, body
                )
        return answer if fault is None else fault.answer

    def _send(self, answer: HttpResponse) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        if answer.status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)


class _Server(http.server.ThreadingHTTPServer):
    """Accepts connections, and cuts them all off when it is closed."""

    daemon_threads = False
    block_on_close = True

    def __init__(self, proxy: FaultProxy) -> None:
        self.proxy = proxy
        self.accepted = 0
        self._open: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__((HOST, 0), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            self.accepted += 1
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        with self._guard:
            for connection in self._open:
                # The other side may have gone already.
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        super().server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a client that has gone, as clients with a timeout do."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _end_to_end_headers(headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return the headers that are not about one connection only (RFC 9110, section 7.6.1)."""
    return tuple((name, value) for name, value in headers if name.lower() not in _HOP_BY_HOP)
