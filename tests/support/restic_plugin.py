"""A real restic, and a repository for each test."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.instance import report_nothing
from sandbox.layout import Project
from sandbox.restic import find_restic
from tests.support.restic_harness import PASSWORD, ResticHarness
from tests.support.restic_key import make_key_cheap

_ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def restic_program() -> Path:
    """Find the machine's restic, or one unpacked from Debian's package."""
    return find_restic(Project(_ROOT), report_nothing)


@pytest.fixture(scope="session")
def empty_repository(restic_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a repository without snapshots, to be copied: making one takes the most time."""
    return _init_repository(restic_program, tmp_path_factory.mktemp("restic") / "repository")


@pytest.fixture(scope="session")
def other_repository(restic_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make another repository without snapshots, which is only read."""
    return _init_repository(restic_program, tmp_path_factory.mktemp("restic") / "repository")


@pytest.fixture(scope="session")
def source_repository(restic_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a third repository without snapshots, to be copied: backups are copied from it."""
    return _init_repository(restic_program, tmp_path_factory.mktemp("restic") / "repository")


def _init_repository(program: Path, folder: Path) -> Path:
    subprocess.run(
        [program, "init", "--quiet"],
        env={
            "RESTIC_REPOSITORY": str(folder),
            "RESTIC_PASSWORD": PASSWORD,
            "RESTIC_CACHE_DIR": str(folder.with_name("cache")),
        },
        check=True,
        capture_output=True,
    )
    make_key_cheap(folder, PASSWORD)
    return folder


@pytest.fixture
def restic(
    restic_program: Path,
    empty_repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[ResticHarness]:
    """Make a repository of the test's own, with the backend in front of it."""
    shutil.copytree(empty_repository, tmp_path / "repository")
    harness = ResticHarness(tmp_path, restic_program)
    monkeypatch.setenv(harness.variable, PASSWORD)
    yield harness
    harness.end_processes()
