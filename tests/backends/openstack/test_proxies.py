"""A failed request names the proxy that stood before it, and never the proxy's password."""

import pytest
from keystoneauth1 import token_endpoint
from keystoneauth1.exceptions import ClientException

from karbor_backup_openstack import http_errors
from karbor_backup_openstack.proxies import describe_proxy
from karbor_backup_openstack.session import CloudSession
from sandbox.ports import HOST, free_port

_CANARY = "pr0xy-s3cret"
_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def _failure_message(url: str) -> str:
    """Return the message for a request that cannot succeed."""
    session = CloudSession(auth=token_endpoint.Token(url, "token"))
    with pytest.raises(ClientException) as caught:
        session.get(url, authenticated=False, connect_retries=0)
    return str(http_errors.from_connection_error(caught.value, "Keystone", 5))


@pytest.mark.parametrize(
    ("variable", "url"),
    [
        ("http_proxy", "http://freezer.test/v2"),
        ("HTTP_PROXY", "http://freezer.test/v2"),
        ("https_proxy", "https://freezer.test/v2"),
        ("HTTPS_PROXY", "https://freezer.test/v2"),
        ("all_proxy", "https://freezer.test/v2"),
        ("ALL_PROXY", "http://freezer.test/v2"),
    ],
)
def test_failure_behind_a_dead_proxy_names_it_without_password(
    variable: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setenv(variable, f"http://user:{_CANARY}@{HOST}:{port}")
    message = _failure_message(url)
    assert f"through the proxy {HOST}:{port} of the environment variable {variable}" in message
    assert _CANARY not in message


def test_failure_of_a_host_that_needs_no_proxy_names_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://{HOST}:{free_port()}")
    monkeypatch.setenv("no_proxy", HOST)
    assert "proxy" not in _failure_message(f"http://{HOST}:{free_port()}/v3")


@pytest.mark.parametrize(
    ("proxy", "named"),
    [
        ("proxy.test:3128", "proxy.test:3128"),
        ("http://proxy.test", "proxy.test "),
        (f"http://user:{_CANARY}@proxy.test:port", "(its URL cannot be read)"),
        (f"socks5://user:{_CANARY}@proxy.test:1080", "proxy.test:1080"),
    ],
)
def test_any_proxy_url_is_named_without_its_password(
    proxy: str, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", proxy)
    described = describe_proxy(OSError("GET http://freezer.test/v2 failed"))
    assert named in described
    assert _CANARY not in described


def test_error_without_url_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.test:3128")
    assert not describe_proxy(OSError("no route"))
