"""Credentials that name nothing, or what is not there: bad input, with what there is instead."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from click.testing import Result

from tests.cli.invoke import invoke_program

Command: TypeAlias = Callable[..., Result]

_AUTH = "auth: {auth_url: 'http://127.0.0.1:9', username: u, password: p, project_name: p}"
_CLOUDS = f"""\
clouds:
  demo: {{{_AUTH}, region_name: RegionOne}}
  other: {{{_AUTH}, regions: [RegionOne, RegionTwo]}}
  bare: {{auth: {{username: u, password: p}}}}
"""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a configuration of Freezer, and no credentials whatever."""
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    for name in ("CLOUD", "AUTH_URL", "USERNAME", "PASSWORD", "PROJECT_NAME", "REGION_NAME"):
        monkeypatch.delenv(f"OS_{name}", raising=False)
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(tmp_path / "clouds.yaml"))
    path = tmp_path / "config.toml"
    path.write_text(
        f"""\
[store]
url = "sqlite:///{tmp_path / "operations.sqlite"}"
[backends.freezer.storages.disk]
kind = "local"
path = "{tmp_path}"
"""
    )
    monkeypatch.setenv("KARBOR_BACKUP_CONFIG", str(path))
    return path


@pytest.fixture
def clouds(config: Path) -> Path:
    path = config.with_name("clouds.yaml")
    path.write_text(_CLOUDS)
    return path


def _refusal_message(*arguments: str) -> str:
    """Return the one line with which a protect is refused as wrong input."""
    result = invoke_program("protect", "directory", "/srv", *arguments)
    assert result.exit_code == 2, result.stderr
    assert result.stderr.count("\n") == 1
    return result.stderr


@pytest.mark.usefixtures("config")
def test_error_without_credentials_names_the_ways_to_give_them() -> None:
    message = _refusal_message()
    for way in ("--os-cloud", "as cloud in the backend's section", "OS_CLOUD", "OS_AUTH_URL"):
        assert way in message
    assert "clouds.yaml, which is not there" in message
    assert "no clouds.yaml was found" in message


def test_missing_cloud_name_among_several_is_refused(clouds: Path) -> None:
    message = _refusal_message()
    assert f"no cloud is named ({clouds} has: bare, demo, other): name a cloud with" in message


def test_empty_os_cloud_counts_as_unset(clouds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_CLOUD", "")
    assert f"no cloud is named ({clouds} has" in _refusal_message()


def test_unknown_cloud_error_lists_known_clouds(
    clouds: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = f"there is no cloud 'Demo': did you mean 'demo'? {clouds} has: bare, demo, other"
    assert message in _refusal_message("--os-cloud", "Demo")
    monkeypatch.setenv("OS_CLOUD", "Demo")
    assert message in _refusal_message()
    monkeypatch.delenv("OS_CLOUD")
    config.write_text(f'{config.read_text()}[backends.freezer]\ncloud = "Demo"\n')
    assert message in _refusal_message()


@pytest.mark.usefixtures("clouds")
def test_region_in_other_case_is_suggested(config: Path) -> None:
    config.write_text(f'{config.read_text()}[backends.freezer]\nregion = "region-two"\n')
    assert "did you mean 'RegionTwo'?" in _refusal_message("--os-cloud", "other")


@pytest.mark.parametrize(("cloud", "known"), [("demo", "RegionOne"), ("other", "RegionTwo")])
def test_unknown_region_error_lists_known_regions(
    clouds: Path, config: Path, cloud: str, known: str
) -> None:
    config.write_text(f'{config.read_text()}[backends.freezer]\nregion = "Nowhere"\n')
    message = _refusal_message("--os-cloud", cloud)
    assert "Nowhere" in message
    assert known in message
    assert str(clouds) in message


def test_cloud_without_auth_url_error_names_its_file(clouds: Path) -> None:
    message = _refusal_message("--os-cloud", "bare")
    assert f"cloud 'bare' lacks auth_url ({clouds} has: bare, demo, other)" in message


@pytest.mark.usefixtures("clouds")
def test_variables_without_a_url_error_names_the_missing_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OS_USERNAME", "u")
    monkeypatch.setenv("OS_PASSWORD", "secret-word")
    message = _refusal_message()
    assert "OS_* without OS_AUTH_URL" in message
    assert "secret-word" not in message


@pytest.mark.parametrize(
    ("auth", "lacking"),
    [
        ("username: u, project_name: p", "password"),
        ("username: u, password: '', project_name: p", "password"),
        ("password: p, project_name: p", "username"),
        ("project_name: p", "username, password"),
    ],
)
def test_cloud_without_user_or_password_error_names_what_is_missing(
    clouds: Path, auth: str, lacking: str
) -> None:
    clouds.write_text(f"clouds: {{demo: {{auth: {{auth_url: 'http://127.0.0.1:9', {auth}}}}}}}\n")
    assert f"cloud 'demo' lacks {lacking} ({clouds} has: demo)" in _refusal_message(
        "--os-cloud", "demo"
    )


@pytest.mark.usefixtures("clouds")
def test_variables_without_a_password_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_AUTH_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("OS_USERNAME", "u")
    assert "OS_* without OS_PASSWORD" in _refusal_message()


def test_user_id_or_other_auth_type_needs_no_user_name(clouds: Path) -> None:
    url = "auth_url: 'http://127.0.0.1:9'"
    by_id = f"{url}, user_id: u, password: p, project_id: p"
    token = f"{url}, token: t, project_id: p"
    clouds.write_text(
        f"clouds: {{demo: {{auth: {{{by_id}}}}}, other: {{auth_type: token, auth: {{{token}}}}}}}\n"
    )
    for cloud in ("demo", "other"):
        result = invoke_program("protect", "directory", "/srv", "--os-cloud", cloud)
        assert result.exit_code == 1
        assert "lacks" not in result.stderr


def test_unknown_auth_type_is_invalid_input(clouds: Path) -> None:
    clouds.write_text(f"clouds: {{demo: {{auth_type: nonsense, {_AUTH}}}}}\n")
    assert "nonsense" in _refusal_message("--os-cloud", "demo")


@pytest.mark.parametrize("arguments", [(), ("--os-cloud", "nowhere")])
@pytest.mark.usefixtures("clouds")
def test_backends_check_prints_the_table_without_credentials(arguments: tuple[str, ...]) -> None:
    result = invoke_program("backends", "--check", *arguments)
    assert (result.exit_code, result.stderr) == (1, "")
    assert "cannot be used: OpenStack credentials: " in result.stdout
    assert "OS::Cinder::Volume" in result.stdout
