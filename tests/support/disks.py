"""A real disk that is soon full, for tests of what happens then."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

_BLOCK = b"x" * 4096


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of 2 MB where the command's tests keep their store; needs root."""
    folder = tmp_path / "store"
    folder.mkdir()
    _run_checked("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder))
    yield folder
    _run_checked("umount", "--lazy", str(folder))


def fill_disk(folder: Path) -> Path:
    """Take all the room that is left; return the file that has it."""
    ballast = folder / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(_BLOCK)
    return ballast


def _run_checked(*command: str) -> None:
    subprocess.run(command, check=True)
