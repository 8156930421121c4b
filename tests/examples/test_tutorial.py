"""The tutorial does what it says, step by step, from an empty folder on."""

import os
from pathlib import Path

import pytest

from tests.pages.blocks import SHELLS, Block
from tests.pages.reader import Reader, compare
from tests.support.wheels import Environment


@pytest.fixture
def reader(wheel: Path, tmp_path: Path) -> Reader:
    variables = Environment(tmp_path).program_environ | {"KARBOR_BACKUP": str(wheel)}
    folder = tmp_path / "karbor-backup-shelf"
    folder.mkdir()
    variables["PATH"] = os.environ["PATH"]
    return Reader(folder, variables)


@pytest.mark.timeout(600)
def test_tutorial_commands_print_what_it_shows(reader: Reader, marked_blocks: list[Block]) -> None:
    printed = ""
    for block in marked_blocks:
        if block.title:
            reader.write(block)
        elif block.language in SHELLS:
            printed = reader.run(block)
        else:
            assert block.language == "text", block
            compare(block, block.text, printed)
    assert "Dear reader" in printed
