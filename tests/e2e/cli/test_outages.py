"""The command on a real Freezer in bad weather: one line, the right status, nothing begun."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from click.testing import Result

from sandbox import Sandbox
from tests.cli.invoke import invoke_program
from tests.support import http_faults
from tests.support.fault_proxy import FaultProxy

Command: TypeAlias = Callable[..., Result]

_TYPE = "Freezer::FileSystem::Directory"


@pytest.fixture
def command(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Return the command, configured for the sandbox's Freezer."""
    config = tmp_path / "config.toml"
    config.write_text(
        f"""\
[store]
url = "sqlite:///{tmp_path / "operations.sqlite"}"
[policy]
poll_first = 0.2
poll_limit = 1
[backends.freezer]
timeout = 5
[backends.freezer.storages.disk]
kind = "local"
path = "{sandbox.storage_dir}"
"""
    )
    monkeypatch.setenv("KARBOR_BACKUP_CONFIG", str(config))
    for name, value in sandbox.environ.items():
        monkeypatch.setenv(name, value)
    return invoke_program


def _protect_refused(command: Command, tmp_path: Path, fault: str, status: int = 1) -> None:
    """Begin a protect that must be refused in one line before even a store is made."""
    result = command("protect", _TYPE, str(tmp_path), "-o", "backup_name=x")
    assert result.exit_code == status
    assert fault in result.stderr
    assert result.stderr.startswith("karbor-backup: ")
    assert result.stderr.count("\n") == 1
    listed = command("operations", "--json")
    assert json.loads(listed.stderr)["error"]["kind"] == "StoreNotFound"


def test_wrong_password_is_one_line_and_status_1(
    command: Command, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = tmp_path / "clouds.yaml"
    wrong.write_text(
        sandbox.clouds_yaml.read_text().replace(sandbox.accounts["demo"].password, "wrong")
    )
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(wrong))
    _protect_refused(command, tmp_path, "Keystone")


def test_unknown_cloud_is_one_line_and_status_2(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OS_CLOUD", "nowhere")
    _protect_refused(command, tmp_path, "there is no cloud 'nowhere'", status=2)
    checked = command("backends", "--check")
    assert checked.exit_code == 1
    assert "cannot be used: OpenStack credentials: there is no cloud 'nowhere'" in checked.stdout


@pytest.mark.parametrize("what", ["html", "hang", "refuse"])
def test_endpoint_that_is_no_freezer_is_one_line_and_status_1(
    command: Command,
    sandbox: Sandbox,
    fault_proxy: FaultProxy,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
) -> None:
    clouds = tmp_path / "clouds.yaml"
    url = "http://127.0.0.1:9" if what == "refuse" else fault_proxy.url
    sandbox.write_clouds_yaml(clouds, freezer_url=url)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(clouds))
    if what != "refuse":
        fault_proxy.plan(
            {"html": http_faults.html_page(), "hang": http_faults.no_response()}[what], times=None
        )
    _protect_refused(command, tmp_path, "Freezer")
    fault_proxy.clear()


def test_missing_directory_is_invalid_input_and_leaves_nothing(
    command: Command, sandbox: Sandbox, tmp_path: Path
) -> None:
    result = command("protect", _TYPE, str(tmp_path / "none"), "-o", "backup_name=x")
    assert result.exit_code == 2
    assert "does not exist on this host" in result.stderr
    assert result.stderr.count("\n") == 1
    (operation,) = json.loads(command("operations", "--json").stdout)["operations"]
    assert operation["state"] == "released"
    session = sandbox.session()
    jobs = session.get(
        f"{sandbox.freezer_url}/v2/{session.get_project_id()}/jobs", params={"limit": 1000}
    ).json()["jobs"]
    assert operation["id"] not in json.dumps(jobs)


def test_cloud_of_the_command_line_is_used(command: Command) -> None:
    assert command("backends", "--check").exit_code == 0
    # Other tests give the project "other" schedulers of its own.
    another = command("backends", "--check", "--os-cloud", "admin")
    assert another.exit_code == 1
    assert "no scheduler is registered" in another.stdout
