"""The fault proxy, before a small real server."""

import http.client
import http.server
import threading
from collections.abc import Iterator
from http import HTTPStatus

import pytest
import requests

from tests.support import http_faults
from tests.support.fault_proxy import FaultProxy
from tests.support.http_faults import HttpFault
from tests.support.waiting import LONG, wait_until

TIMEOUT = LONG


class EchoHandler(http.server.BaseHTTPRequestHandler):
    """Answers 201 with the method, the path, the body and a header of its own."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    requests: list[str]

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.requests.append(f"{self.command} {self.path}")
        answer = f"{self.command} {self.path} {self.headers['X-Sent']} ".encode() + body
        self.send_response_only(HTTPStatus.CREATED)
        self.send_header("Content-Length", str(len(answer)))
        self.send_header("X-Answered", "yes")
        self.end_headers()
        self.wfile.write(answer)

    do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815 - http.server's names

    def log_message(self, *_args: object) -> None:
        """Log nothing."""


@pytest.fixture
def recorded_requests() -> list[str]:
    return []


@pytest.fixture
def proxy(recorded_requests: list[str]) -> Iterator[FaultProxy]:
    handler = type("Handler", (EchoHandler,), {"requests": recorded_requests})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    with FaultProxy(f"http://127.0.0.1:{server.server_port}") as proxy:
        yield proxy
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def client() -> Iterator[requests.Session]:
    with requests.Session() as client:
        client.trust_env = False
        yield client


def test_requests_and_answers_are_forwarded_unchanged(
    proxy: FaultProxy, client: requests.Session
) -> None:
    answer = client.post(
        f"{proxy.url}/v2/jobs?limit=3", data=b"\x00body", headers={"X-Sent": "it"}, timeout=TIMEOUT
    )

    assert answer.status_code == HTTPStatus.CREATED
    assert answer.content == b"POST /v2/jobs?limit=3 it \x00body"
    assert answer.headers["X-Answered"] == "yes"


def test_requests_are_counted_and_recorded(proxy: FaultProxy, client: requests.Session) -> None:
    client.get(f"{proxy.url}/one?a=1", timeout=TIMEOUT)
    client.delete(f"{proxy.url}/two", timeout=TIMEOUT)

    assert [
        (each.number, each.method, each.path, each.query, each.status) for each in proxy.requests
    ] == [(1, "GET", "/one", "a=1", 201), (2, "DELETE", "/two", "", 201)]


def test_connection_of_a_client_is_kept_open(proxy: FaultProxy, client: requests.Session) -> None:
    for _ in range(5):
        client.get(f"{proxy.url}/", timeout=TIMEOUT)

    assert proxy.connections == 1


@pytest.mark.parametrize("code", [401, 404, 409, 422, 500, 503])
def test_fault_returns_a_status(
    proxy: FaultProxy, client: requests.Session, recorded_requests: list[str], code: int
) -> None:
    proxy.plan(http_faults.error_response(code))

    answer = client.get(f"{proxy.url}/", timeout=TIMEOUT)

    assert answer.status_code == code
    assert answer.json()["title"].startswith(str(code))
    assert "Retry-After" not in answer.headers
    assert not recorded_requests


def test_fault_returns_retry_after(proxy: FaultProxy, client: requests.Session) -> None:
    proxy.plan(http_faults.error_response(503, retry_after=7))

    assert client.get(f"{proxy.url}/", timeout=TIMEOUT).headers["Retry-After"] == "7"


def test_fault_returns_html(proxy: FaultProxy, client: requests.Session) -> None:
    proxy.plan(http_faults.html_page())

    answer = client.get(f"{proxy.url}/", timeout=TIMEOUT)

    assert answer.status_code == HTTPStatus.OK
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize(
    ("fault", "delivered"),
    [
        (http_faults.disconnect(), False),
        (http_faults.lost_reply(), True),
        (http_faults.error_response(500), False),
        (http_faults.error_response(500, delivered=True), True),
        (http_faults.no_response(), False),
        (http_faults.no_response(delivered=True), True),
    ],
)
def test_broken_exchange_delivers_the_request_or_not(
    proxy: FaultProxy,
    client: requests.Session,
    recorded_requests: list[str],
    fault: HttpFault,
    *,
    delivered: bool,
) -> None:
    proxy.plan(fault)

    if fault.answer is None:
        with pytest.raises((requests.ConnectionError, requests.ReadTimeout)):
            client.post(f"{proxy.url}/jobs", timeout=0.1 if fault.hangs else TIMEOUT)
    else:
        client.post(f"{proxy.url}/jobs", timeout=TIMEOUT)

    # The client may have gone before the proxy has dealt with its request.
    wait_until(lambda: proxy.requests)
    assert recorded_requests == (["POST /jobs"] if delivered else [])
    assert proxy.requests[0].fault == fault


def test_a_hanging_client_waits_until_its_own_timeout(
    proxy: FaultProxy, client: requests.Session
) -> None:
    proxy.plan(http_faults.no_response())

    with pytest.raises(requests.ReadTimeout):
        client.get(f"{proxy.url}/", timeout=0.1)

    wait_until(lambda: proxy.requests)
    assert client.get(f"{proxy.url}/", timeout=TIMEOUT).status_code == HTTPStatus.CREATED


def test_close_disconnects_a_hanging_client(proxy: FaultProxy) -> None:
    proxy.plan(http_faults.no_response())
    connection = http.client.HTTPConnection(proxy.url.removeprefix("http://"))
    connection.request("GET", "/")
    # Its record shows that the request has come.
    wait_until(lambda: proxy.requests)

    proxy.close()

    with pytest.raises(http.client.RemoteDisconnected):
        connection.getresponse()
    connection.close()


def test_fault_fires_at_the_planned_requests_only(
    proxy: FaultProxy, client: requests.Session
) -> None:
    proxy.plan(http_faults.error_response(500), at=2, times=2, method="GET", path="/jobs$")
    calls = [("GET", "/jobs"), ("POST", "/jobs"), ("GET", "/jobs/1"), ("GET", "/jobs")] * 2

    answers = [
        client.request(method, f"{proxy.url}{path}", timeout=TIMEOUT).status_code
        for method, path in calls
    ]

    assert answers == [201, 201, 201, 500, 500, 201, 201, 201]


def test_fault_without_a_count_fires_for_ever(proxy: FaultProxy, client: requests.Session) -> None:
    plan = proxy.plan(http_faults.error_response(503), times=None)

    for _ in range(3):
        client.get(f"{proxy.url}/", timeout=TIMEOUT)

    assert plan.fired == 3


def test_fault_planned_first_fires_first(proxy: FaultProxy, client: requests.Session) -> None:
    first, second = (
        proxy.plan(http_faults.error_response(404)),
        proxy.plan(http_faults.error_response(500), at=1, times=2),
    )

    answers = [client.get(f"{proxy.url}/", timeout=TIMEOUT).status_code for _ in range(3)]

    assert answers == [404, 500, 201]
    assert (first.fired, second.fired) == (1, 1)


def test_unfired_faults_are_listed(proxy: FaultProxy, client: requests.Session) -> None:
    proxy.plan(http_faults.error_response(404))
    late = proxy.plan(http_faults.error_response(500), at=9)

    client.get(f"{proxy.url}/", timeout=TIMEOUT)

    assert proxy.unfired() == [late]


def test_shared_plan_fires_at_the_first_proxy_with_a_request(
    proxy: FaultProxy, client: requests.Session
) -> None:
    with FaultProxy("http://127.0.0.1:9") as other:
        other.add_rule(proxy.plan(http_faults.error_response(404)))

        first = client.get(f"{other.url}/", timeout=TIMEOUT)
        second = client.get(f"{proxy.url}/", timeout=TIMEOUT)

        assert (first.status_code, second.status_code) == (404, HTTPStatus.CREATED)
        assert proxy.unfired() == other.unfired() == []


def test_clear_removes_faults_and_requests(proxy: FaultProxy, client: requests.Session) -> None:
    proxy.plan(http_faults.error_response(404), times=None)
    client.get(f"{proxy.url}/", timeout=TIMEOUT)

    proxy.clear()
    answer = client.get(f"{proxy.url}/", timeout=TIMEOUT)

    assert answer.status_code == HTTPStatus.CREATED
    assert [each.number for each in proxy.requests] == [1]


def test_stopped_server_closes_the_connection(client: requests.Session) -> None:
    with FaultProxy("http://127.0.0.1:9") as proxy:
        with pytest.raises(requests.ConnectionError):
            client.get(f"{proxy.url}/", timeout=TIMEOUT)
        assert proxy.requests[0].status is None
