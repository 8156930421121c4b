"""Requests go where the environment says, and it is asked once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from keystoneauth1 import token_endpoint

from karbor_backup_openstack.session import CloudSession
from tests.support import http_faults
from tests.support.fault_proxy import FaultProxy


@pytest.fixture
def server() -> Iterator[FaultProxy]:
    with FaultProxy("http://127.0.0.1:9") as server:
        server.plan(http_faults.error_response(200), times=None)
        yield server


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> CloudSession:
    for name in ("http_proxy", "all_proxy", "no_proxy", "requests_ca_bundle", "curl_ca_bundle"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return CloudSession(auth=token_endpoint.Token("http://freezer.test", "token"))


def test_a_proxy_of_the_environment_is_used(
    session: CloudSession, server: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    assert session.get("http://freezer.test/v2", authenticated=False).status_code == 200
    assert len(server.requests) == 1


def test_server_in_no_proxy_is_reached_without_the_proxy(
    session: CloudSession, server: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    assert session.get(server.url, authenticated=False).status_code == 200


def test_the_environment_is_read_once_for_a_server(
    session: CloudSession, server: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    session.get(server.url, authenticated=False)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert session.get(server.url, authenticated=False).status_code == 200


def test_settings_of_one_request_do_not_change_another(session: CloudSession) -> None:
    transport = session.session
    kept = [
        transport.merge_environment_settings("https://freezer.test", {}, False, verify, None)
        for verify in (True, False, "/etc/ssl/site.pem")
    ]
    assert [settings["verify"] for settings in kept] == [True, False, "/etc/ssl/site.pem"]


def test_certificates_of_the_environment_are_trusted(
    session: CloudSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/ssl/site.pem")
    settings = session.session.merge_environment_settings(
        "https://freezer.test", {}, False, True, None
    )
    assert settings["verify"] == "/etc/ssl/site.pem"


def test_netrc_adds_no_credentials(
    session: CloudSession, server: FaultProxy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    answer = session.get(server.url, authenticated=False)
    assert "Authorization" not in answer.request.headers
