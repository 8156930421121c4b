"""The page about the command must name all that there is, and turn on completion."""

import os
import re
import subprocess
import sys
from pathlib import Path

import attrs
import click
import pytest

from karbor_backup_cli._main import program
from karbor_backup_core import Policy
from tests.pages.blocks import Block

_PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "cli.md").read_text()


@pytest.mark.parametrize("name", program.commands)
def test_every_command_is_described_with_its_options(name: str) -> None:
    command = program.commands[name]
    assert f"`{name} " in _PAGE or f"`{name}`" in _PAGE
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert any(re.search(rf"{option}\b", _PAGE) for option in parameter.opts), parameter


def test_every_key_of_the_policy_is_named() -> None:
    for field in attrs.fields(Policy):
        assert f"`{field.name}`" in _PAGE


def test_completion_of_the_shell_is_turned_on(marked_blocks: list[Block]) -> None:
    (block,) = marked_blocks
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    script = f"set -e\n{block.text}\ncomplete -p karbor-backup"
    done = subprocess.run(
        ["/bin/bash", "-c", script],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "_karbor_backup_completion" in done.stdout
