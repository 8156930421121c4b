"""A home for each test, and the command with the fake backend."""

import logging
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from karbor_backup_fake import named_cloud
from tests.cli.command_runner import CommandRunner


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a home directory of its own, so that nothing of this machine's is read or written."""
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CONFIG_DIRS"):
        monkeypatch.setenv(name, str(tmp_path / name))
    for name in ("KARBOR_BACKUP_CONFIG", "OS_CLOUD"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture(autouse=True)
def _restore_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def command(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CommandRunner]:
    config, database = home / "config.toml", home / "store" / "operations.sqlite"
    cloud = f"cloud-{uuid.uuid4()}"
    config.write_text(
        f"""\
default_backend = "mine"
[store]
url = "sqlite:///{database}"
[policy]
poll_first = 0.01
poll_limit = 0.02
retry_first = 0.01
retry_limit = 0.02
unknown_gap = 0.01
[backends.mine]
use = "fake"
cloud = "{cloud}"
"""
    )
    monkeypatch.setenv("KARBOR_BACKUP_CONFIG", str(config))
    running = CommandRunner(config, database, named_cloud(cloud))
    yield running
    for store in running.opened_stores:
        store.close()
