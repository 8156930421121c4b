"""Every block of every page is run by a test that it names, or says why it is not."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from tests.pages.blocks import PAGES, SHELLS, Block, blocks, tokens
from tests.support.wheels import ROOT

_SHORTEST_REASON: Final = 20
"""Letters."""

_BY_PAGE: Final = pytest.mark.parametrize(
    "page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES]
)


@cache
def _arguments(path: Path) -> dict[str, set[str]]:
    """Return the tests in a file, each with the names of its arguments."""
    return {
        node.name: {each.arg for each in node.args.args}
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def faults(block: Block) -> Iterator[str]:
    """Yield what is wrong with the markers of a block."""
    if not block.language:
        yield "it does not say its language"
    if bool(block.run_by) == bool(block.not_run):
        yield "it names neither a test nor a reason, or both"
    elif block.not_run:
        if len(block.not_run) < _SHORTEST_REASON:
            yield "its reason is too short to be one"
    else:
        file, _, test = block.run_by.partition("::")
        if not (ROOT / file).is_file() or test not in _arguments(ROOT / file):
            yield f"there is no test {block.run_by}"
        elif "marked_blocks" not in _arguments(ROOT / file)[test]:
            yield f"{block.run_by} does not ask for the blocks that name it"


@_BY_PAGE
def test_every_block_has_a_test_or_a_reason_for_none(page: Path) -> None:
    wrong = {str(block): list(faults(block)) for block in blocks(page)}
    assert {block: problems for block, problems in wrong.items() if problems} == {}


@_BY_PAGE
def test_no_page_has_code_outside_of_fences(page: Path) -> None:
    indented = [token.map for token in tokens(page) if token.type == "code_block"]
    assert indented == []


@pytest.mark.parametrize(
    ("info", "fault"),
    [
        ("", "it does not say its language"),
        ("sh", "it names neither a test nor a reason, or both"),
        ("sh not-run=no", "its reason is too short to be one"),
        ("sh run-by=tests/pages/test_none.py::test_it", "there is no test"),
        ("sh run-by=tests/pages/test_blocks.py::test_none", "there is no test"),
        (
            "sh run-by=tests/pages/test_blocks.py::test_no_page_has_code_outside_of_fences",
            "does not ask for the blocks",
        ),
        ('sh not-run="it asks a cloud of somebody else" run-by=x::test_y', "or both"),
    ],
)
def test_a_block_without_a_test_is_found(tmp_path: Path, info: str, fault: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# A page\n\n```{info}\nmake all\n```\n")
    (block,) = blocks(page)
    assert fault in " ".join(faults(block))


def test_commands_of_a_console_stand_behind_its_prompt(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console\n$ echo \\\n    one\none\n# echo two\ntwo\n```\n")
    (block,) = blocks(page)
    assert block.language in SHELLS
    assert block.commands == ["echo one", "echo two"]
