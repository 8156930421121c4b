"""The tutorial does what it says, step by step, from an empty folder on."""

import doctest
import os
import subprocess
from pathlib import Path

import attrs
import pytest

from tests.examples.tutorial import Block, blocks
from tests.wheels import Environment

_AS_SHOWN = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@attrs.frozen
class Reader:
    """Somebody who does what the page says, in one shell.

    Attributes:
        folder: the reader's folder.
        variables: the shell's environment, which commands may change.
    """

    folder: Path
    variables: dict[str, str]

    def write(self, block: Block) -> None:
        path = self.folder / block.title
        path.parent.mkdir(parents=True, exist_ok=True)
        before = f"{path.read_text()}\n" if path.exists() else ""
        path.write_text(before + block.text)

    def run(self, block: Block) -> str:
        """Run each line, in the shell as the block before has left it; answer what it prints."""
        *lines, last = block.text.splitlines()
        script = "\n".join([*(f"{line} || exit 99" for line in lines), last, "status=$?"])
        kept = self.folder.parent / "variables"
        done = subprocess.run(
            ["/bin/bash", "-c", f"{script}\nenv -0 >'{kept}'\nexit $status"],
            cwd=self.folder,
            env=self.variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == block.status, f"line {block.line}:\n{done.stdout}"
        self.variables.clear()
        given = (pair.split("=", 1) for pair in kept.read_text().split("\0") if pair)
        self.variables.update(dict(given))
        return done.stdout


@pytest.fixture
def reader(wheel: Path, tmp_path: Path) -> Reader:
    variables = Environment(tmp_path).variables | {"KARBOR_BACKUP": str(wheel)}
    folder = tmp_path / "karbor-backup-shelf"
    folder.mkdir()
    variables["PATH"] = os.environ["PATH"]
    return Reader(folder, variables)


@pytest.mark.timeout(600)
def test_the_tutorial_does_what_it_says(reader: Reader) -> None:
    printed = ""
    for block in blocks():
        if block.title:
            reader.write(block)
        elif block.language == "sh":
            printed = reader.run(block)
        elif block.language == "text":
            shown = doctest.OutputChecker().check_output(block.text, printed, _AS_SHOWN)
            assert shown, f"line {block.line}: it prints\n{printed}"
        else:
            pytest.fail(f"line {block.line}: nobody knows what a block of {block.language} is for")
    assert "Dear reader" in printed
