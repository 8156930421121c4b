"""What the command loads before it knows what it is to do."""

import subprocess
import sys

import pytest

_HEAVY = {"rich", "sqlalchemy", "jsonschema", "cattrs", "stevedore", "tenacity", "platformdirs"}


@pytest.mark.parametrize("arguments", [["--help"], ["protect", "--help"], ["--version"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = f"""
import sys
from karbor_backup_cli._main import program
try:
    program.main({arguments!r})
finally:
    print(*sorted({_HEAVY!r} & set(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == ""


def test_the_package_is_the_command() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "karbor_backup_cli", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("Usage: python -m karbor_backup_cli ")


def test_without_arguments_help_is_shown() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "karbor_backup_cli"], capture_output=True, text=True, check=True
    )
    assert "Commands:" in done.stdout
