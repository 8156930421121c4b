"""The configuration file: where it is found, what it may say, and how its faults are told."""

from datetime import timedelta
from pathlib import Path

import pytest

from karbor_backup_cli._configuration import find_configuration_file
from karbor_backup_core import InvalidDocument, InvalidInput, Policy
from karbor_backup_core.configuration import (
    CONFIGURATION_VARIABLE,
    Configuration,
    load_configuration,
)


def _load_errors(path: Path, text: str) -> str:
    path.write_text(text)
    with pytest.raises(InvalidDocument) as caught:
        load_configuration(path)
    assert str(path) in str(caught.value)
    return "\n".join(caught.value.faults)


def test_without_a_file_everything_has_a_default() -> None:
    assert load_configuration(None) == Configuration(policy=Policy())


def test_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(
        """\
default_backend = "a"
[store]
url = {env = "DATABASE"}
[policy]
deadline = "2h"
grace = 90
attempts = 3
[backends.a]
use = "freezer"
cloud = "mine"
[backends.fake]
"""
    )
    read = load_configuration(path)
    assert read.policy.deadline == timedelta(hours=2)
    assert read.policy.grace == timedelta(seconds=90)
    assert read.policy.attempts == 3
    assert read.backends is not None
    assert (read.backends["a"].use, read.backends["a"].configuration) == (
        "freezer",
        {"cloud": "mine"},
    )
    assert read.backends["fake"].use == "fake"
    assert read.store_url is not None


def test_all_faults_come_at_once_with_their_places(tmp_path: Path) -> None:
    faults = _load_errors(
        tmp_path / "config.toml",
        """\
default_backend = 5
colour = "blue"
[store]
uri = "x"
[policy]
atempts = 3
poll_share = 0
deadline = []
[backends.a]
use = 1
""",
    )
    for place in ("default_backend", "colour", "store.uri", "policy.atempts", "policy.deadline"):
        assert f"$.{place}" in faults
    assert "$.backends.a.use" in faults
    assert "did you mean 'attempts'" in faults


def test_faults_beyond_the_schema_come_at_once_too(tmp_path: Path) -> None:
    faults = _load_errors(
        tmp_path / "config.toml",
        '[policy]\ndeadline = "soon"\ngrace = 0\n[backends.a]\n',
    )
    for place in ("$.policy.deadline", "$.policy.grace"):
        assert place in faults


def test_a_policy_that_contradicts_itself(tmp_path: Path) -> None:
    assert "poll_limit" in _load_errors(tmp_path / "c.toml", "[policy]\npoll_first = 99\n")


@pytest.mark.parametrize(
    ("content", "fault"),
    [(b"a = ?\n", "not TOML.*line 1"), (b"\xff", "not UTF-8"), (None, "there is no such file")],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, content: bytes | None, fault: str) -> None:
    path = tmp_path / "config.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidInput, match=fault):
        load_configuration(find_configuration_file(path))


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        load_configuration(find_configuration_file(tmp_path))


def test_the_usual_places_are_looked_at_in_their_order(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_configuration_file(None) is None
    machine = home / "XDG_CONFIG_DIRS" / "karbor-backup" / "config.toml"
    own = home / "XDG_CONFIG_HOME" / "karbor-backup" / "config.toml"
    named, asked = home / "named.toml", home / "asked.toml"
    for path in (machine, own, named, asked):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        if path == named:
            monkeypatch.setenv(CONFIGURATION_VARIABLE, str(named))
        assert find_configuration_file(asked if path == asked else None) == path
