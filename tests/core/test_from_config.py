"""A runner from the command's configuration file."""

from pathlib import Path
from typing import Any

import pytest

from karbor_backup_core import InvalidInput, Resource, UnknownBackend, open_runner
from karbor_backup_core.configuration import CONFIGURATION_VARIABLE
from karbor_backup_core.stores.sql import SQLStore

VOLUME = Resource("OS::Cinder::Volume", "volume-1")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/operations.sqlite"


@pytest.fixture
def file(tmp_path: Path, url: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(
        f'[store]\nurl = "{url}"\n[policy]\ndeadline = "1h"\n'
        '[backends.lab]\nuse = "fake"\n[backends.broken]\nuse = "nowhere"\n'
    )
    return path


def test_runner_uses_the_store_and_the_policy_of_the_file(file: Path, url: str) -> None:
    with open_runner(file, backends=["lab"]) as runner:
        assert list(runner.backends) == ["lab"]
        future = runner.protect("lab", VOLUME, {"backup_name": "nightly"})
        operation = future.result(120).raise_for_outcome()
    assert (operation.deadline - operation.created_at).total_seconds() == 3600
    store = SQLStore(url)
    assert [backup.resource for backup in store.backups()] == [VOLUME]
    store.close()


def test_file_of_the_environment_is_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CONFIGURATION_VARIABLE, str(file))
    with open_runner(backends=["lab"]) as runner:
        assert runner.store.backups() == []


def test_missing_file_name_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CONFIGURATION_VARIABLE, raising=False)
    with pytest.raises(InvalidInput, match=CONFIGURATION_VARIABLE), open_runner():
        """Nothing is opened."""


def test_file_without_a_store_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[backends.lab]\nuse = "fake"\n')
    with pytest.raises(InvalidInput, match=r"set url in \[store\]"), open_runner(path):
        """Nothing is opened."""


@pytest.mark.parametrize("backends", [None, ["broken"], ["labb"]])
def test_backend_that_cannot_be_loaded_is_refused_before_a_store_is_created(
    file: Path, tmp_path: Path, backends: list[str] | None
) -> None:
    with pytest.raises(UnknownBackend), open_runner(file, backends=backends):
        """Nothing is opened."""
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("given", [5, {"store": {}}, ["config.toml"]])
def test_what_is_no_path_is_refused(given: Any) -> None:
    with pytest.raises(InvalidInput, match="give the path of its file"), open_runner(given):
        pytest.fail("it was opened")


def test_one_name_in_place_of_several_is_refused(file: Path) -> None:
    with (
        pytest.raises(InvalidInput, match="backends 'lab': give a list of names"),
        open_runner(file, backends="lab"),
    ):
        pytest.fail("it was opened")
