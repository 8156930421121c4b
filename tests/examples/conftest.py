"""An author's environment: the wheel with its extra ``contract``, a build backend, and no more."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.wheels import Environment


@pytest.fixture(scope="session")
def author(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment.made(tmp_path_factory.mktemp("author"), f"{wheel}[contract]", "hatchling")


@pytest.fixture
def run_tests_of(author: Environment) -> Iterator[Callable[[str, Path], str]]:
    """Install a package from its folder, with nothing from an index, and run its tests."""
    installed: list[str] = []

    def run(name: str, folder: Path) -> str:
        pip = ("-m", "pip", "--quiet", "--disable-pip-version-check")
        offline = ("--no-index", "--no-build-isolation")
        author.run("python", *pip, "install", *offline, f"{folder}[test]")
        installed.append(name)
        return author.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=folder)

    yield run
    for name in installed:
        author.run("python", "-m", "pip", "uninstall", "--quiet", "--yes", name)
