"""Requests, against a small real server that answers as it is told."""

import json
import logging
import socket
from collections.abc import Callable, Iterator

import pytest
from keystoneauth1 import adapter, session, token_endpoint

from karbor_backup_core import BackendError, Transient
from karbor_backup_freezer.api.http_client import FreezerHttpClient
from karbor_backup_openstack.connection import Connection
from tests.support import http_faults
from tests.support.fault_proxy import FaultProxy
from tests.support.http_faults import HttpFault, HttpResponse

Call = Callable[[FreezerHttpClient], object]

CALLS: dict[str, Call] = {
    "create": lambda client: client.create_job({"job_id": "x"}),
    "stop": lambda client: client.stop_job("x"),
    "job": lambda client: client.get_job("x"),
    "backup": lambda client: client.get_backup("x"),
    "all": lambda client: list(client.iter_entries("jobs")),
    "matching": lambda client: client.search("actions", "container", "x"),
    "overwrite": lambda client: client.overwrite_action("x", {"secret_key": "s3cr3t"}),
    "delete": lambda client: client.delete_entry("jobs", "x"),
}


class _StubConnection(Connection):
    """A connection to a given place, without Keystone."""

    def __init__(self, url: str) -> None:
        self._fixed = url

    @property
    def adapter(self) -> adapter.Adapter:
        auth = token_endpoint.Token(self._fixed, "token")
        return adapter.Adapter(
            session.Session(auth=auth), endpoint_override=f"{self._fixed}/v2/p", connect_retries=0
        )

    @property
    def endpoint(self) -> str:
        return self._fixed


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    with FaultProxy("http://127.0.0.1:9") as proxy:
        yield proxy


def make_client(url: str, timeout: float = 60) -> FreezerHttpClient:
    return FreezerHttpClient(_StubConnection(url), timeout=timeout)


def catch_error(
    proxy: FaultProxy, fault: http_faults.HttpFault, call: Call, timeout: float = 60
) -> BackendError:
    proxy.plan(fault, times=None)
    with pytest.raises(BackendError) as caught:
        call(make_client(proxy.url, timeout))
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("status", [500, 502, 503, 504, 429])
def test_temporary_status_raises_transient(proxy: FaultProxy, call: Call, status: int) -> None:
    error = catch_error(proxy, http_faults.error_response(status, retry_after=7), call)
    assert isinstance(error, Transient)
    assert error.retry_after == 7
    assert f"status {status}" in str(error)
    assert len(proxy.requests) == 1


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        (" 5 ", 5),
        ("-1", None),
        ("soon", None),
        ("", None),
        ("1.5", None),
        ("9" * 5000, None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Fri, 31 Dec 999999 23:59:59 GMT", None),
    ],
)
def test_retry_after_of_an_answer_is_read_or_ignored(
    proxy: FaultProxy, header: str, seconds: float | None
) -> None:
    answer = http_faults.HttpResponse(503, (("Retry-After", header),), b"{}")
    error = catch_error(proxy, http_faults.HttpFault("busy", answer=answer), CALLS["job"])
    assert isinstance(error, Transient)
    assert error.retry_after == seconds


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("status", [400, 403, 405, 422])
def test_permanent_status_raises_backend_error(proxy: FaultProxy, call: Call, status: int) -> None:
    error = catch_error(proxy, http_faults.error_response(status), call)
    assert not isinstance(error, Transient)
    assert "answered by the fault proxy" in str(error)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("status", [200, 201, 404, 500])
def test_web_page_is_named_in_the_error(proxy: FaultProxy, call: Call, status: int) -> None:
    error = catch_error(proxy, http_faults.html_page(status), call)
    assert "web page" in str(error)
    assert proxy.url in str(error)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_unresponsive_endpoint_is_transient_after_the_timeout(
    proxy: FaultProxy, call: Call
) -> None:
    error = catch_error(proxy, http_faults.no_response(), call, timeout=0.5)
    assert isinstance(error, Transient)
    assert "within 0.5 s; the request may have arrived" in str(error)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_closed_connection_is_transient(proxy: FaultProxy, call: Call) -> None:
    assert isinstance(catch_error(proxy, http_faults.disconnect(), call), Transient)


def test_refused_connection_error_quotes_the_system() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(Transient, match=f"{url} cannot be reached: Connection refused"):
            make_client(url).get_job("x")


def test_not_found_of_a_get_returns_none(proxy: FaultProxy) -> None:
    proxy.plan(http_faults.error_response(404), times=None)
    client = make_client(proxy.url)
    assert client.get_job("x") is None
    assert client.get_backup("x") is None
    client.delete_entry("jobs", "x")
    assert [r.method for r in proxy.requests[-2:]] == ["DELETE", "GET"]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirect_is_refused_with_its_location(proxy: FaultProxy, status: int) -> None:
    answer = http_faults.HttpResponse(
        status, (("Location", "https://new.example.org/v2/p/jobs/x"),), b""
    )
    error = catch_error(proxy, http_faults.HttpFault("moved", answer=answer), CALLS["job"])
    assert not isinstance(error, Transient)
    assert f"status {status}, which leads to https://new.example.org/v2/p/jobs/x" in str(error)


def add_response(proxy: FaultProxy, method: str, path: str, status: int, document: object) -> None:
    """Return the requests to a path."""
    headers = (("Content-Type", "application/json"),)
    given = HttpResponse(status, headers, json.dumps(document).encode())
    proxy.plan(HttpFault(path, answer=given), times=None, method=method, path=f"{path}$")


def register_scheduler(proxy: FaultProxy, **fields: object) -> None:
    """Return the list of schedulers with one."""
    client = {"client_id": "one", **fields}
    add_response(proxy, "GET", "/clients", 200, {"clients": [{"client": client}]})


def test_conflict_of_a_create_returns_false(proxy: FaultProxy) -> None:
    register_scheduler(proxy, is_central=False)
    add_response(proxy, "POST", "/jobs", 409, {})
    assert make_client(proxy.url).create_job({"job_id": "x"}) is False


def test_create_before_19_uses_the_jobs_own_url(proxy: FaultProxy) -> None:
    register_scheduler(proxy)
    add_response(proxy, "GET", "/jobs/x", 404, {})
    add_response(proxy, "POST", "/jobs/x", 201, {"job_id": "x"})
    client = make_client(proxy.url)
    assert client.create_job({"job_id": "x"}) is True
    sent = [(request.method, request.path) for request in proxy.requests]
    assert sent == [("GET", "/v2/p/clients"), ("GET", "/v2/p/jobs/x"), ("POST", "/v2/p/jobs/x")]


def test_create_before_19_replaces_no_job(proxy: FaultProxy) -> None:
    register_scheduler(proxy)
    add_response(proxy, "GET", "/jobs/x", 200, {"job_id": "x"})
    assert make_client(proxy.url).create_job({"job_id": "x"}) is False
    assert "POST" not in [request.method for request in proxy.requests]


def test_create_requests_the_api_version_once(proxy: FaultProxy) -> None:
    register_scheduler(proxy, is_central=True)
    add_response(proxy, "POST", "/jobs", 201, {"job_id": "x"})
    client = make_client(proxy.url)
    assert client.iter_entries("clients")
    for _ in range(2):
        assert client.create_job({"job_id": "x"}) is True
    assert [request.path for request in proxy.requests].count("/v2/p/clients") == 1


@pytest.mark.parametrize("status", [404, 409])
def test_status_that_freezer_never_returns_is_transient(proxy: FaultProxy, status: int) -> None:
    error = catch_error(proxy, http_faults.error_response(status), CALLS["overwrite"])
    assert isinstance(error, Transient)


def test_request_bodies_are_not_logged(proxy: FaultProxy, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    catch_error(proxy, http_faults.error_response(500), CALLS["overwrite"])
    assert "s3cr3t" not in caplog.text
    assert "X-Auth-Token" not in caplog.text
