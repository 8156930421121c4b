"""The programs of the page about the library are run."""

from pathlib import Path
from typing import Final

import pytest

from tests.pages.blocks import Block
from tests.pages.reader import run_python

_STORE: Final = "/var/lib/karbor-backup"

_CONFIGURATION: Final = """
[store]
url = "sqlite:///{folder}/operations.sqlite"

[backends.lab]
use = "fake"
"""


def test_synchronous_program_protects_and_restores(
    marked_blocks: list[Block],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    configuration, program = marked_blocks
    assert _STORE in configuration.text
    text = configuration.text.replace(_STORE, str(tmp_path))
    (tmp_path / configuration.title).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    left = run_python(program)
    assert left["protected"].succeeded
    assert f"restored as {left['restored'].outcome.resources[0].id}" in capsys.readouterr().out


def test_asyncio_program_protects_many_volumes(
    marked_blocks: list[Block], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (program,) = marked_blocks
    text = _CONFIGURATION.format(folder=tmp_path)
    (tmp_path / "config.toml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    backups = run_python(program)["backups"]
    assert [backup.resource.id for backup in backups] == ["volume-1", "volume-2"]


def test_program_without_a_file_plans_and_submits(
    marked_blocks: list[Block], capsys: pytest.CaptureFixture[str]
) -> None:
    (program,) = marked_blocks
    left = run_python(program)
    assert left["operation"].outcome.backup is not None
    assert "protect of server-1 until" in capsys.readouterr().out
