"""The map in CONTRIBUTING.md names the folders of the tree, all of them and no others."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.pages.blocks import Block
from tests.support.wheels import ROOT

_ENTRY: Final = re.compile(r"(?P<indent> *)(?P<paths>\S+(?:, \S+)*)(?:  +(?P<subject>.+))?")
_PAGE: Final = re.compile(r"→ (\S+)")
_GENERATED: Final = ("build", "dist", "__pycache__")
_TESTS_DEPTH: Final = 2
"""Levels of ``tests/`` that the map shows: what is below them mirrors the source tree."""


def _read_map(text: str) -> Iterator[tuple[str, str]]:
    """Yield each path of a map, from the root of the checkout, with its line.

    A line that is indented further than the one above is inside of that one's folder.
    """
    folders: list[tuple[int, str]] = []
    for line in text.splitlines():
        entry = _ENTRY.fullmatch(line)
        assert entry is not None, line
        indent = len(entry["indent"])
        while folders and folders[-1][0] >= indent:
            folders.pop()
        parent = folders[-1][1] if folders else ""
        paths = [f"{parent}{path}" for path in entry["paths"].split(", ")]
        yield from ((path, line) for path in paths)
        folders.append((indent, paths[-1]))


def _list_folders(root: Path) -> set[str]:
    """Return the folders that hold Python, each with the folders around it."""
    folders = set()
    for file in root.glob("[!.]*/**/*.py"):
        parts = file.relative_to(root).parent.parts
        if any(part.startswith(".") or part in _GENERATED for part in parts):
            continue
        shown = parts[:_TESTS_DEPTH] if parts[0] == "tests" else parts
        folders |= {"/".join([*shown[:end], ""]) for end in range(1, len(shown) + 1)}
    return folders


def _expand_parents(path: str) -> set[str]:
    """Return a folder's path and those of the folders around it."""
    parts = path.rstrip("/").split("/")
    return {"/".join([*parts[:end], ""]) for end in range(1, len(parts) + 1)}


def test_map_names_the_folders_of_the_tree(marked_blocks: list[Block]) -> None:
    (block,) = marked_blocks
    paths = dict(_read_map(block.text))
    assert [line for path, line in paths.items() if not (ROOT / path).exists()] == []
    named = {each for path in paths if path.endswith("/") for each in _expand_parents(path)}
    assert _list_folders(ROOT) - named == set()
    assert [path for path in paths if (ROOT / path).is_dir() and not path.endswith("/")] == []


def test_pages_of_the_map_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    pages = _PAGE.findall(text)
    assert pages
    assert [page for page in pages if not (ROOT / page).is_file()] == []


def test_missing_and_nested_folders_are_found(tmp_path: Path) -> None:
    for path in ("a/b/c.py", "a/.d/e.py", "a/__pycache__/f.py", "tests/g/h/i.py", "j/k.txt"):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    assert _list_folders(tmp_path) == {"a/", "a/b/", "tests/", "tests/g/"}
    text = "a/    one  → x.md\n  b/  two\nc/\n  d.py, e.py  three"
    assert [path for path, _ in _read_map(text)] == ["a/", "a/b/", "c/", "c/d.py", "c/e.py"]
