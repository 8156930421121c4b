"""What a user gets from the wheel: installed alone, in an environment of its own."""

import json
import zipfile
from pathlib import Path

import pytest

from tests.wheels import Environment


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the wheel and its extra ``cli``, but without ``freezer``."""
    return Environment.made(tmp_path_factory.mktemp("environment"), f"{wheel}[cli]")


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


def test_the_installed_command_lists_backends_with_what_is_missing(
    environment: Environment,
) -> None:
    listed = json.loads(environment.run("karbor-backup", "backends", "--json"))
    text = json.dumps(listed)
    assert "fake" in text
    assert "pip install '.[freezer]'" in text


def test_the_core_needs_no_extra(environment: Environment) -> None:
    environment.run("python", "-c", "import karbor_backup_core, karbor_backup_fake")
