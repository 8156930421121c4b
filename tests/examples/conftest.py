"""An author's environment: the wheel with two extras, build backends, and no more."""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from tests.pages.blocks import SHELLS, Block
from tests.pages.reader import Reader
from tests.support.wheels import Environment

_OFFLINE = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_QUIET": "1"}
"""Nothing comes from an index. Pip wants 0 for yes where the option is a negative one."""


@pytest.fixture(scope="session")
def author(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment.create(
        tmp_path_factory.mktemp("author"), f"{wheel}[contract,process]", "hatchling", "editables"
    )


@pytest.fixture
def run_lines(
    author: Environment, wheel: Path
) -> Iterator[Callable[[str, Path, Sequence[Block]], str]]:
    """Run the lines with which a package's README installs and tests it, and return the output."""
    installed: list[str] = []

    def run(name: str, folder: Path, blocks: Sequence[Block]) -> str:
        installed.append(name)
        path = f"{author.folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        variables = {"PATH": path, "KARBOR_BACKUP": str(wheel)}
        reader = Reader(folder, {**author.program_environ, **_OFFLINE, **variables})
        assert blocks
        assert {block.language for block in blocks} <= set(SHELLS)
        return "".join(reader.run(block) for block in blocks)

    yield run
    for name in installed:
        author.run("python", "-m", "pip", "uninstall", "--quiet", "--yes", name)
