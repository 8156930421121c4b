"""Credentials and endpoints: the right Freezer, and one clear line for each wrong one."""

import re
from pathlib import Path

import pytest

from karbor_backup_core import BackendError, InvalidInput, Transient
from karbor_backup_freezer import FreezerBackend
from tests.e2e.freezer.harness import FreezerHarness
from tests.support import http_faults
from tests.support.fault_proxy import FaultProxy


def _write_clouds_yaml(harness: FreezerHarness, old: str, new: str) -> Path:
    """Return the sandbox's ``clouds.yaml`` with one text replaced."""
    text = harness.sandbox.clouds_yaml.read_text()
    assert old in text
    path: Path = harness.folder / "clouds.yaml"
    path.write_text(text.replace(old, new))
    return path


def test_scope_is_endpoint_and_project(harness: FreezerHarness) -> None:
    ours, theirs = (harness.backend(cloud=cloud).scope() for cloud in ("demo", "other"))
    endpoint = harness.sandbox.freezer_url
    service, _, project = ours.partition("|")
    assert re.fullmatch(r"service [0-9a-f]{32} in region RegionOne", service)
    assert theirs.partition("|")[0] == service
    assert ours != theirs
    for same in (f"{endpoint}/v2/", endpoint.upper().replace("HTTP", "http"), f"{endpoint}//"):
        assert harness.backend(cloud="demo", endpoint=same).scope() == ours
    port = endpoint.rpartition(":")[2]
    other = harness.backend(cloud="demo", endpoint=f"http://LOCALHOST:{port}/").scope()
    assert other == f"http://localhost:{port}|{project}"


def test_a_session_that_is_given_is_used(harness: FreezerHarness) -> None:
    backend = FreezerBackend({}, session=harness.sandbox.session("demo"))
    assert backend.scope() == harness.backend().scope()


def test_health_names_the_schedulers(harness: FreezerHarness) -> None:
    health = harness.backend().health()
    assert health.ok
    assert "node1" in health.details["schedulers"]
    assert health.details["storages"] == {"disk": "local"}


def test_the_endpoint_of_the_clouds_file_is_used(
    harness: FreezerHarness, fault_proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    clouds = harness.folder / "clouds.yaml"
    harness.sandbox.write_clouds_yaml(clouds, freezer_url=fault_proxy.url)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(clouds))
    assert harness.backend().health().ok
    assert fault_proxy.requests


def test_an_unknown_cloud_is_named(harness: FreezerHarness) -> None:
    with pytest.raises(InvalidInput, match=r"no cloud 'nowhere': .*clouds.yaml has: admin, demo"):
        harness.backend(cloud="nowhere").scope()


def test_a_wrong_password_is_refused(
    harness: FreezerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    password = harness.sandbox.accounts["demo"].password
    clouds = _write_clouds_yaml(harness, password, "wrong-passw0rd")
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(clouds))
    with pytest.raises(BackendError, match="Keystone refuses the credentials") as caught:
        harness.backend().scope()
    assert not isinstance(caught.value, Transient)
    assert "wrong-passw0rd" not in str(caught.value)
    assert not harness.backend().health().ok


def test_keystone_that_refuses_connections_is_transient(
    harness: FreezerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    clouds = _write_clouds_yaml(harness, harness.sandbox.auth_url, "http://127.0.0.1:9/v3")
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(clouds))
    with pytest.raises(Transient):
        harness.backend().scope()


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (http_faults.html_page(), "web page"),
        (http_faults.no_response(), "did not answer within 5 s"),
        (http_faults.disconnect(), "cannot be reached"),
        (http_faults.error_response(503), "status 503"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_health_reports_an_error_in_one_line(
    harness: FreezerHarness, fault_proxy: FaultProxy, fault: http_faults.HttpFault, expected: str
) -> None:
    fault_proxy.plan(fault)
    # The limit is for Keystone's answers too, which are to come in time.
    more = {"timeout": 5} if fault.hangs else {}
    health = harness.backend(endpoint=fault_proxy.url, **more).health()
    assert not health.ok
    assert expected in health.summary
    assert "\n" not in health.summary
