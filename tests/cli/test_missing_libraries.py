"""The command where a library is missing or too old: one line that says what to install."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from karbor_backup_cli import _missing_libraries
from karbor_backup_core import BackendUnavailable, StoreError
from tests.cli.command_runner import CommandRunner

_ROOT = Path(__file__).parents[2]

_BLOCKED = """
import sys

class Block:
    def find_spec(self, name, path=None, target=None):
        if name in {modules!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Block())
from karbor_backup_cli._entry import run
sys.argv[1:] = {arguments!r}
run()
"""


def _run_without(modules: list[str], *arguments: str) -> subprocess.CompletedProcess[str]:
    code = _BLOCKED.format(modules=modules, arguments=list(arguments))
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("module", "arguments", "extra"),
    [
        ("click", ("--version",), "cli"),
        ("click", ("list", "--json"), "cli"),
        ("sqlalchemy", ("list",), "sql"),
        ("platformdirs", ("list",), "cli"),
        ("rich", ("backends",), "cli"),
    ],
)
def test_missing_library_is_one_line_with_its_extra_and_status_2(
    home: Path, module: str, arguments: tuple[str, ...], extra: str
) -> None:
    done = _run_without([module], *arguments)
    assert (done.returncode, done.stdout) == (2, ""), home
    (line,) = done.stderr.splitlines()
    assert f"{module} is not installed: pip install '.[{extra}]'" in line
    if "--json" in arguments:
        assert json.loads(line)["error"]["kind"] == "MissingLibrary"


def test_missing_library_of_the_core_is_no_fault_of_ours(home: Path) -> None:
    done = _run_without(["stevedore"], "backends")
    assert (done.returncode, done.stderr) == (
        2,
        "karbor-backup: stevedore is not installed: pip install stevedore\n",
    ), home


def test_sqlalchemy_of_karbors_environment_is_named_with_its_version(
    command: CommandRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "old"
    (old / "sqlalchemy").mkdir(parents=True)
    (old / "sqlalchemy" / "__init__.py").write_text("")
    (old / "SQLAlchemy-1.3.24.dist-info").mkdir()
    (old / "SQLAlchemy-1.3.24.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: SQLAlchemy\nVersion: 1.3.24\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(old))
    done = _run_without([], "list", "--config", str(command.config))
    assert done.returncode == 2
    assert "sqlalchemy 1.3.24 does not fit" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "error",
    [
        ModuleNotFoundError("No module named 'karbor_backup_core.x'", name="karbor_backup_core.x"),
        ImportError("cannot import name 'x'", name="karbor_glue.y"),
        StoreError("x"),
        BackendUnavailable("x"),
    ],
)
def test_other_import_errors_are_not_taken_for_a_missing_library(error: Exception) -> None:
    assert _missing_libraries.describe_missing_library(error) is None


def test_library_without_a_name_is_reported_with_its_version() -> None:
    error = ImportError("cannot import name 'Nothing' from 'attrs'", name="attrs")
    told = _missing_libraries.describe_missing_library(error)
    assert told is not None
    assert told.startswith("attrs ")
    assert "does not fit" in told


def test_every_library_of_the_cores_extras_is_known() -> None:
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    for extra in ("cli", "contract", "sql"):
        for requirement in extras[extra]:
            library = requirement.partition(">")[0].lower()
            if not library.startswith("karbor-backup"):
                assert _missing_libraries._EXTRAS[library] == extra


def test_group_without_a_command_shows_its_help(command: CommandRunner) -> None:
    shown = command("karbor")
    assert shown.exit_code == 2
    assert "recover" in shown.stderr
    assert "\\n" not in shown.stderr
