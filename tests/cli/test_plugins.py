"""Commands that other packages bring along."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.command_runner import CommandRunner

MODULE = """\
import click

@click.command(short_help="Greets.")
@click.pass_context
def greet(ctx):
    click.echo(f"hello, as_json is {ctx.obj.as_json}")
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Install a distribution with these entry points and a module ``greeting``."""

    def put(points: str, module: str = MODULE, group: str = "commands") -> None:
        site = tmp_path / "site"
        info = site / "greeting-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[karbor_backup.{group}]\n{points}\n")
        (site / "greeting_of_a_test.py").write_text(module)
        monkeypatch.delitem(sys.modules, "greeting_of_a_test", raising=False)
        monkeypatch.syspath_prepend(str(site))

    return put


def test_a_command_of_another_package_is_listed_and_runs(
    command: CommandRunner, install: Callable[..., None]
) -> None:
    install("greet = greeting_of_a_test:greet")
    assert "Greets." in command("--help").stdout
    assert command("greet").stdout == "hello, as_json is False\n"
    assert command("--json", "greet").stdout == "hello, as_json is True\n"


def test_plugin_that_cannot_be_loaded_is_reported_and_hinders_no_other(
    command: CommandRunner, install: Callable[..., None]
) -> None:
    install("broken = module_that_is_not_there:main")
    helped = command("--help")
    assert helped.exit_code == 0
    assert "module_that_is_not_there" in helped.stdout.replace("\n", "")
    called = command("broken", "anything", "--at-all")
    assert called.exit_code == 2
    assert "the command broken cannot be loaded" in called.stderr
    assert "module_that_is_not_there" in called.stderr


def test_our_own_commands_go_first(command: CommandRunner, install: Callable[..., None]) -> None:
    install("protect = greeting_of_a_test:greet")
    assert command("--help").stdout.count("\n  protect ") == 1
    assert "hello" not in command("protect", "--help").stdout


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        ("import library_that_is_not_there", "library_that_is_not_there"),
        ("raise RuntimeError('broken')", "RuntimeError: broken"),
        ("SCHEMA = None", "TypeError"),
        ("SCHEMA = {'type': 5}", "the schema is no JSON Schema: $.type"),
        ("SCHEMA = {'properties': {'key': 5}}", "the schema is no JSON Schema: $.properties.key"),
        ("SCHEMA = {'default': object()}", "the schema is no JSON"),
    ],
)
def test_section_whose_schema_cannot_be_used_is_named(
    command: CommandRunner, install: Callable[..., None], module: str, reason: str
) -> None:
    install("extra = greeting_of_a_test:SCHEMA", module, group="configuration_sections")
    assert command("backends").exit_code == 0
    command.config.write_text(f"{command.config.read_text()}\n[extra]\nkey = 3\n")
    called = command("backends")
    assert called.exit_code in (1, 2)
    (line,) = called.stderr.splitlines()
    assert f"configuration {command.config}: section [extra]" in line
    assert reason in line
