"""The template makes a package that keeps the contract as it is."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import copier
import pytest

from tests.examples.tutorial import final_files
from tests.pages.blocks import Block, blocks
from tests.pages.reader import Reader
from tests.support.wheels import ROOT, Environment

TEMPLATE = ROOT / "backend-template"


def _generate_package(folder: Path, **answers: str) -> Path:
    copier.run_copy(str(TEMPLATE), folder, answers, defaults=True, quiet=True)
    return folder


def test_generated_package_passes_the_contract_in_a_clean_environment(
    run_lines: Callable[[str, Path, Sequence[Block]], str], tmp_path: Path
) -> None:
    answers = {"backend": "snapvault", "resource_type": "OS::Cinder::Volume"}
    folder = _generate_package(tmp_path / "package", **answers)
    lines = list(blocks(folder / "README.md"))
    assert "snapvault 0.1: conformant" in run_lines("karbor-backup-snapvault", folder, lines)


def test_line_of_the_tutorial_generates_a_package(
    author: Environment, marked_blocks: list[Block], tmp_path: Path
) -> None:
    (block,) = marked_blocks
    folder = tmp_path / "reader"
    folder.mkdir()
    reader = Reader(folder, {**author.program_environ, "KARBOR_BACKUP": str(ROOT)})
    reader.run(block)
    assert (folder / "karbor-backup-vault" / "README.md").exists()
    assert (folder / "karbor-backup-vault" / "src" / "karbor_backup_vault").is_dir()


def test_generated_package_passes_ruff(tmp_path: Path) -> None:
    folder = _generate_package(tmp_path, backend="snapvault")
    settings = ("--config", str(ROOT / "pyproject.toml"))
    for command in (("check", "--ignore", "INP001,D101,D102,I001"), ("format", "--check")):
        ruff = [sys.executable, "-m", "ruff", *command, *settings, str(folder)]
        done = subprocess.run(ruff, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


def test_generated_package_is_the_tutorials(tmp_path: Path) -> None:
    folder = _generate_package(tmp_path, backend="shelf")
    written = final_files()
    assert written
    assert written == {path: (folder / path).read_text(encoding="utf-8") for path in written}


@pytest.mark.parametrize(
    "wrong", [{"backend": "Two words"}, {"backend": "x", "resource_type": '"); import os'}]
)
def test_names_that_are_no_identifiers_are_refused(tmp_path: Path, wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="Validation error"):
        _generate_package(tmp_path, **wrong)
