"""The page about the command must name all that there is, and its example must work."""

import re
from pathlib import Path

import attrs
import click
import pytest

from karbor_backup_core import Policy
from karbor_backup_core.cli import configuration
from karbor_backup_core.cli.main import program

_PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()


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


def test_the_configuration_in_it_is_read(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", _PAGE, re.DOTALL)
    file = tmp_path / "config.toml"
    file.write_text(example)
    read = configuration.load(file)
    assert read.backends is not None
    assert read.backends["site"].use == "freezer"
