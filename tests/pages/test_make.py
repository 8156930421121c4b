"""The pages' lines with ``make``.

Make is asked what it would run, since the tests themselves run below ``make test``. Other tests run
the demonstration and the sandbox, and CI the quick runs on other libraries.
"""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.pages.blocks import PAGES, Block
from tests.support.wheels import ROOT

_NAMED = re.compile(r"`make ([a-z-]+)")


def test_make_would_run_something(marked_blocks: list[Block]) -> None:
    for block in marked_blocks:
        for line in block.commands:
            program, *arguments = shlex.split(line, comments=True)
            assert program == "make"
            done = subprocess.run(
                [program, "--dry-run", *arguments],
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{block}: {line}: {done.stderr}"
            assert ".venv/bin/" in done.stdout, f"{block}: {line}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_targets_that_a_page_names_are_there(page: Path) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(_NAMED.findall(page.read_text(encoding="utf-8"))) <= set(targets)
