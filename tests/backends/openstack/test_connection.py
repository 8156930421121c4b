"""What is said of credentials and endpoints that cannot be used."""

from pathlib import Path

import pytest
from keystoneauth1 import exceptions

from karbor_backup_core import InvalidInput
from karbor_backup_freezer.config import Configuration
from karbor_backup_openstack import http_errors
from karbor_backup_openstack.connection import Connection


@pytest.fixture
def clouds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "clouds.yaml"
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(path))
    return path


def refusal_message(**configuration: object) -> str:
    with pytest.raises(InvalidInput) as caught:
        assert Connection(Configuration.from_document(configuration)).region
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"clouds:\n\tdemo:\n", ", line 2, character 1: found character '\\t'"),
        (b"clouds: {demo: [}\n", ", line 1, character 17"),
        (b"clouds:\n  demo: \xff\n", " is not UTF-8 text"),
        (b"clouds: *nothing\n", ", line 1, character 9: found undefined alias"),
    ],
)
def test_clouds_file_that_cannot_be_parsed_is_named_with_the_place(
    clouds: Path, content: bytes, expected: str
) -> None:
    clouds.write_bytes(content)
    assert f"{clouds}{expected}" in refusal_message(cloud="demo")


def test_timeout_is_the_configured_one_or_that_of_the_clouds_file(clouds: Path) -> None:
    auth = "auth: {auth_url: 'http://127.0.0.1:9', username: u, password: p, project_name: p}"
    clouds.write_text(f"clouds: {{demo: {{{auth}, api_timeout: 7}}, plain: {{{auth}}}}}\n")
    seconds = {
        (cloud, given): Connection(
            Configuration.from_document({"cloud": cloud} | ({"timeout": given} if given else {}))
        ).timeout
        for cloud in ("demo", "plain")
        for given in (None, 3)
    }
    assert seconds == {("demo", None): 7, ("demo", 3): 3, ("plain", None): 30, ("plain", 3): 3}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("The request you have made requires authentication.", "check user"),
        ("The account is locked for user: u1.", "The account is locked for user: u1: check user"),
    ],
)
def test_refused_credentials_error_quotes_keystone(words: str, expected: str) -> None:
    error = exceptions.Unauthorized(f"{words} (HTTP 401) (Request-ID: req-1)")
    message = str(http_errors.from_connection_error(error, "Keystone", 5))
    assert message == f"Keystone refuses the credentials: {expected}, password, domain and project"
