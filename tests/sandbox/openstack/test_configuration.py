"""Configuration files say what they are given, to nobody but their owner."""

import configparser
import stat
from pathlib import Path

import pytest

from sandbox.accounts import SERVICE, make_accounts
from sandbox.environments import Environment
from sandbox.openstack import configuration
from sandbox.state import State


@pytest.fixture
def state() -> State:
    return State(
        owner=None,
        environment=Environment(Path("environment")),
        auth_url="http://127.0.0.1:5000/v3",
        freezer_url="http://127.0.0.1:9090",
        accounts=make_accounts(),
    )


def read(path: Path) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(default_section="none")
    parser.read(path)
    return parser


def test_sections_and_options_are_written_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "service.conf"
    sections: dict[str, dict[str, object]] = {
        "DEFAULT": {"transport_url": "rabbit://user:100%@127.0.0.1:1/", "debug": False},
        "database": {"connection": "mysql://x?charset=utf8"},
    }

    configuration.write_configuration(path, sections)

    assert {name: dict(section) for name, section in read(path).items() if section} == {
        "DEFAULT": {"transport_url": "rabbit://user:100%@127.0.0.1:1/", "debug": "False"},
        "database": {"connection": "mysql://x?charset=utf8"},
    }


def test_configuration_is_readable_by_the_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "service.conf"

    configuration.write_configuration(path, {"DEFAULT": {"password": "secret"}})

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_each_service_authenticates_with_its_own_account(state: State) -> None:
    account = state.accounts[SERVICE]

    calling = configuration.credentials(state)
    validating = configuration.token_validation(state)

    assert (calling["username"], calling["password"]) == (account.user, account.password)
    assert calling.items() <= validating.items()
    assert validating["www_authenticate_uri"] == state.auth_url
