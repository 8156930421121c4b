"""The section of the workers in the configuration."""

from datetime import timedelta
from pathlib import Path

import pytest

from karbor_backup_core import InvalidDocument, InvalidInput, Secret
from karbor_backup_core.configuration import load_configuration
from karbor_backup_scale._database import QueueDatabase
from karbor_backup_scale._names import PERIODIC_QUEUE, queue_name
from karbor_backup_scale.settings import WorkerSettings
from tests.pages.blocks import Block


def read_settings(tmp_path: Path, text: str) -> WorkerSettings:
    path = tmp_path / "config.toml"
    path.write_text(text)
    return WorkerSettings.from_configuration(load_configuration(path))


def test_page_is_a_configuration(marked_blocks: list[Block], tmp_path: Path) -> None:
    (block,) = marked_blocks
    settings = read_settings(tmp_path, block.text)
    assert settings == WorkerSettings(limits={"site": 50})


def test_section_is_optional(tmp_path: Path) -> None:
    assert read_settings(tmp_path, "") == WorkerSettings()


def test_all_keys_are_read(tmp_path: Path) -> None:
    text = """
[workers]
queue_url = "postgresql://q@db/q"
hold = 7
limits = { a = 1, b = 2 }
heartbeat = 2.5
dead_after = "1m"
sweep = 30
"""
    settings = read_settings(tmp_path, text)
    assert isinstance(settings.queue_url, Secret)
    assert "q@db" not in repr(settings)
    assert settings.hold == 7
    assert settings.limits == {"a": 1, "b": 2}
    assert settings.heartbeat == timedelta(seconds=2.5)
    assert settings.dead_after == timedelta(minutes=1)
    assert settings.sweep == 30


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("hold = 0", "workers.hold"),
        ("hold = true", "workers.hold"),
        ("limits = { a = 0 }", "workers.limits.a"),
        ("sweep = 7", "workers.sweep"),
        ("heartbeats = 1", "heartbeats"),
        ('heartbeat = "soon"', "workers.heartbeat"),
        ("heartbeat = 0", "workers.heartbeat"),
        ("dead_after = 15", "workers.dead_after"),
    ],
)
def test_wrong_values_are_refused_by_name(tmp_path: Path, line: str, fault: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_settings(tmp_path, f"[workers]\n{line}\n")
    faults = refused.value.faults if isinstance(refused.value, InvalidDocument) else ()
    assert fault in " ".join([str(refused.value), *faults])


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("", "[store]"),
        ('[store]\nurl = "sqlite:////x/y.db"', "[store]"),
        ('[store]\nurl = "mysql+pymysql://u@h/d"', "queue_url"),
        (
            '[store]\nurl = "postgresql://u@h/d"\n[workers]\nqueue_url = "sqlite:////x"',
            "queue_url",
        ),
    ],
)
def test_database_that_is_no_postgresql_is_refused(tmp_path: Path, text: str, remedy: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    with pytest.raises(InvalidInput) as refused:
        QueueDatabase.from_configuration(load_configuration(path))
    assert remedy in str(refused.value)


def test_queue_has_the_backends_name_unless_that_is_too_long() -> None:
    assert queue_name("site") == "site"
    assert queue_name("files", "web1") == "files@web1"
    long = [queue_name("ü" * 40), queue_name("ü" * 41), queue_name("x" * 40, "h")]
    assert len({*long}) == 3
    assert all(len(name.encode()) <= 40 for name in long)
    assert queue_name(PERIODIC_QUEUE) != PERIODIC_QUEUE
