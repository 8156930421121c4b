"""Credentials and endpoints: the right Freezer, and one clear line for each wrong one."""

import re
from pathlib import Path
from typing import Any

import pytest

from karbor_backup_core import BackendError, InvalidInput, Transient
from karbor_backup_freezer import FreezerBackend
from sandbox import faults


def _clouds(bench: Any, old: str, new: str) -> Path:
    """The sandbox's ``clouds.yaml`` with one text replaced."""
    text = bench.sandbox.clouds_yaml.read_text()
    assert old in text
    path: Path = bench.folder / "clouds.yaml"
    path.write_text(text.replace(old, new))
    return path


def test_the_scope_is_endpoint_and_project(bench: Any) -> None:
    ours, theirs = (bench.backend(cloud=cloud).scope() for cloud in ("demo", "other"))
    endpoint = bench.sandbox.freezer_url
    service, _, project = ours.partition("|")
    assert re.fullmatch(r"service [0-9a-f]{32} in region RegionOne", service)
    assert theirs.partition("|")[0] == service
    assert ours != theirs
    for same in (f"{endpoint}/v2/", endpoint.upper().replace("HTTP", "http"), f"{endpoint}//"):
        assert bench.backend(cloud="demo", endpoint=same).scope() == ours
    port = endpoint.rpartition(":")[2]
    other = bench.backend(cloud="demo", endpoint=f"http://LOCALHOST:{port}/").scope()
    assert other == f"http://localhost:{port}|{project}"


def test_a_session_that_is_given_is_used(bench: Any) -> None:
    backend = FreezerBackend({}, session=bench.sandbox.session("demo"))
    assert backend.scope() == bench.backend().scope()


def test_health_names_the_schedulers(bench: Any) -> None:
    health = bench.backend().health()
    assert health.ok
    assert "node1" in health.details["schedulers"]
    assert health.details["storages"] == {"disk": "local"}


def test_the_endpoint_of_the_clouds_file_is_used(
    bench: Any, fault_proxy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clouds = bench.folder / "clouds.yaml"
    bench.sandbox.write_clouds_yaml(clouds, freezer_url=fault_proxy.url)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(clouds))
    assert bench.backend().health().ok
    assert fault_proxy.requests


def test_an_unknown_cloud_is_named(bench: Any) -> None:
    with pytest.raises(InvalidInput, match=r"no cloud 'nowhere' \(.*clouds.yaml has: admin, demo"):
        bench.backend(cloud="nowhere").scope()


def test_a_wrong_password_is_refused(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    password = bench.sandbox.accounts["demo"].password
    clouds = _clouds(bench, password, "wrong-passw0rd")
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(clouds))
    with pytest.raises(BackendError, match="Keystone refuses the credentials") as caught:
        bench.backend().scope()
    assert not isinstance(caught.value, Transient)
    assert "wrong-passw0rd" not in str(caught.value)
    assert not bench.backend().health().ok


def test_a_keystone_that_refuses_connections_may_come_back(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clouds = _clouds(bench, bench.sandbox.auth_url, "http://127.0.0.1:9/v3")
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(clouds))
    with pytest.raises(Transient):
        bench.backend().scope()


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (faults.html(), "web page"),
        (faults.hang(), "did not answer within 1 s"),
        (faults.disconnect(), "cannot be reached"),
        (faults.status(503), "status 503"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_health_says_in_one_line_what_is_wrong(
    bench: Any, fault_proxy: Any, fault: faults.Fault, said: str
) -> None:
    fault_proxy.plan(fault)
    health = bench.backend(endpoint=fault_proxy.url, timeout=1).health()
    assert not health.ok
    assert said in health.summary
    assert "\n" not in health.summary
