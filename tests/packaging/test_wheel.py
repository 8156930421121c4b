"""What a user gets from the wheel: installed alone, in an environment of its own."""

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", folder, ROOT]
    subprocess.run(command, check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel and its extra ``cli``, but without ``freezer``."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=True)
    _run(
        folder, "python", "-m", "pip", "install", "--quiet", f"karbor-backup[cli] @ file://{wheel}"
    )
    return folder


def _run(environment: Path, program: str, *arguments: str) -> str:
    home = environment / "home"
    kept = {name: os.environ[name] for name in os.environ if not name.startswith(("PYTHON", "OS_"))}
    kept |= {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "XDG_STATE_HOME": str(home)}
    done = subprocess.run(
        [environment / "bin" / program, *arguments],
        env=kept,
        cwd=environment,
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_holds_the_packages_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert tops == {
        "karbor_backup_core",
        "karbor_backup_fake",
        "karbor_backup_freezer",
        "karbor_glue",
    }
    assert {f"{top}/py.typed" for top in tops} <= set(names)
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_installed_command_lists_backends_with_what_is_missing(environment: Path) -> None:
    listed = json.loads(_run(environment, "karbor-backup", "backends", "--json"))
    text = json.dumps(listed)
    assert "fake" in text
    assert "pip install 'karbor-backup[freezer]'" in text


def test_the_core_needs_no_extra(environment: Path) -> None:
    _run(environment, "python", "-c", "import karbor_backup_core, karbor_backup_fake")
