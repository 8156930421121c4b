"""Names that a person need not think of, and types that need not be written in full."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from karbor_backup_cli._default_names import add_default_names
from karbor_backup_core import Resource, Verb
from tests.cli.command_runner import VOLUME, CommandRunner

_NOW = datetime(2026, 11, 27, 1, 15, tzinfo=UTC)
_SCHEMA = {
    "properties": {
        "backup_name": {"type": "string"},
        "mode_name": {"enum": ["a"]},
        "path": {"type": "string"},
    },
    "required": ["backup_name", "mode_name", "path"],
}


@given(st.text(), st.text())
def test_default_name_is_plain_whatever_the_resource_is_called(id_: str, name: str) -> None:
    resource = Resource("OS::Cinder::Volume", id_, name)
    made = add_default_names({}, _SCHEMA, resource, Verb.PROTECT, _NOW)
    assert set(made) == {"backup_name"}
    assert made["backup_name"].startswith("volume-")
    assert made["backup_name"].endswith("-20261127-011500")
    assert set(made["backup_name"]) <= set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
    )
    assert len(made["backup_name"]) < 100


def test_given_name_stays() -> None:
    resource = Resource("OS::Cinder::Volume", "1")
    given_names = {"backup_name": "mine"}
    assert add_default_names(given_names, _SCHEMA, resource, Verb.PROTECT, _NOW) == given_names


def test_default_names_are_used_and_printed(command: CommandRunner) -> None:
    made = command("protect", *VOLUME)
    assert made.exit_code == 0, made.stderr
    assert "  name      volume-volume-1-20" in made.stdout
    (backup,) = command.json("list")["backups"]
    restored = command("restore", backup["id"])
    assert restored.exit_code == 0, restored.stderr
    assert "volume-volume-1-restored-20" in restored.stdout


@pytest.mark.parametrize("text", ["volume", "Volume", "os::cinder::volume", "OS::CINDER::VOLUME"])
def test_type_is_found_in_any_case_and_by_its_last_word(command: CommandRunner, text: str) -> None:
    made = command.json("protect", text, "volume-1")
    assert made["resource"]["type"] == "OS::Cinder::Volume"


@pytest.mark.parametrize("text", ["server", "project", "image", "network"])
def test_every_type_of_the_backend_has_a_short_word(command: CommandRunner, text: str) -> None:
    assert "has no type" not in command("protect", text, "x").stderr


def test_unknown_type_is_refused_with_all_types_and_their_short_words(
    command: CommandRunner,
) -> None:
    refused = command("protect", "bucket", "x")
    assert refused.exit_code == 2
    assert "OS::Cinder::Volume (volume)" in refused.stderr
