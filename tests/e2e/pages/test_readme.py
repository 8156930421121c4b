"""What README.md shows, typed by somebody who has a checkout and nothing else."""

import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.e2e.pages.conftest import Cloud
from tests.pages.blocks import Block
from tests.pages.reader import Reader
from tests.support.wheels import ROOT


@pytest.mark.timeout(900)
def test_install_and_first_backup(reader: Reader, marked_blocks: list[Block]) -> None:
    install, use = marked_blocks
    reader.run(install)
    try:
        for line in _lines_to_copy(reader.type("make sandbox")):
            reader.type(line)
        printed = reader.run(use)
        assert "restored Freezer::FileSystem::Directory" in printed
        _assert_same_files(reader.folder / "docs", reader.folder / "restored")
    finally:
        reader.type(".venv/bin/python -m sandbox down")


def test_first_backup_needs_no_cloud(
    restic_program: Path, tmp_path: Path, marked_blocks: list[Block]
) -> None:
    configuration, use = marked_blocks
    home, folder = tmp_path / "home", tmp_path / "checkout"
    home.mkdir()
    shutil.copytree(ROOT / "docs", folder / "docs")
    path = ":".join([str(Path(sys.executable).parent), str(restic_program.parent), os.defpath])
    reader = Reader(folder, {"HOME": str(home), "PATH": path})
    reader.write(configuration, {"/home/me": str(home)})
    printed = reader.run(use)
    assert printed.endswith("every file is the same\n")
    assert "  verified      all files were read\n" in printed


def _lines_to_copy(printed: str) -> list[str]:
    lines = re.findall(r"^  (export \S.*)$", printed, re.MULTILINE)
    assert lines
    return lines


def _assert_same_files(first: Path, second: Path) -> None:
    contents = _read_files(first)
    assert contents
    assert _read_files(second) == contents


def _read_files(folder: Path) -> dict[Path, bytes]:
    """Return the content of each file below a folder, by its path in it."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder): path.read_bytes() for path in files}


def test_configuration_for_an_existing_freezer(cloud: Cloud, marked_blocks: list[Block]) -> None:
    configuration, use = marked_blocks
    reader = cloud.reader
    # Swift is not part of this cloud; the page says nothing that depends on the kind of storage.
    replaced = {
        'kind = "swift"': f'kind = "local"\npath = "{cloud.storage}"',
        "[backends.freezer]\n": f'[backends.freezer]\nscheduler = "{cloud.scheduler}"\n',
    }
    reader.write(configuration, replaced)
    reader.words["VOLUME"] = cloud.volume.id
    printed = reader.run(use)
    assert f"protected OS::Cinder::Volume {cloud.volume.id}" in printed
    assert f"restored OS::Cinder::Volume {cloud.volume.id}" in printed
