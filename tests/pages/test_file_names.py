"""The Python files that the pages name exist."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.pages.blocks import PAGES
from tests.support.wheels import ROOT

_CODE: Final = re.compile(r"`([^`\n]+)`")
_FILE: Final = re.compile(r"[\w./-]+\.py\b")
_OF_KARBOR: Final = "karbor/tests/"
"""Files of Karbor's own repository."""


def _list_file_names() -> set[str]:
    """Return the names of all Python files of the tree, without those of hidden folders."""
    return {path.name for path in ROOT.glob("[!.]*/**/*.py")}


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_page_names_existing_files(page: Path) -> None:
    code = " ".join(_CODE.findall(page.read_text(encoding="utf-8")))
    named = {name for name in _FILE.findall(code) if not name.startswith(_OF_KARBOR)}
    assert {name for name in named if Path(name).name not in _list_file_names()} == set()
