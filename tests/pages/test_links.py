"""Links of pages lead to files and headings that exist, and README.md leads to every page."""

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import pytest
from markdown_it.token import Token

from tests.pages.blocks import PAGES, tokens
from tests.support.wheels import ROOT

_KINDS: Final = {"tutorial", "how-to", "reference", "explanation"}
"""The folders below ``docs/``, each for one kind of page (https://diataxis.fr/)."""

_NOT_IN_ANCHORS: Final = re.compile(r"[^\w\- ]")


@cache
def _anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub and GitLab make them."""
    parsed = tokens(page)
    titles = [
        "".join(child.content for child in content.children or [])
        for heading, content in itertools.pairwise(parsed)
        if heading.type == "heading_open"
    ]
    times: Counter[str] = Counter()
    anchors = set()
    for title in titles:
        anchor = _NOT_IN_ANCHORS.sub("", title.lower()).replace(" ", "-")
        anchors.add(f"{anchor}-{times[anchor]}" if times[anchor] else anchor)
        times[anchor] += 1
    return anchors


def _inline(parsed: list[Token]) -> Iterator[Token]:
    for token in parsed:
        yield from token.children or []


def _links(page: Path) -> Iterator[tuple[str, Path, str]]:
    """Yield each relative link of a page as it is written, with its file and its anchor."""
    for token in _inline(tokens(page)):
        written = str(token.attrGet("href") or token.attrGet("src") or "")
        parts = urlsplit(written)
        if written and not parts.scheme:
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            yield written, target, parts.fragment


def _faults(page: Path) -> Iterator[str]:
    """Yield what is wrong with the relative links of a page."""
    for written, target, anchor in _links(page):
        if not target.exists():
            yield f"{written}: there is no such file"
        elif anchor and anchor not in _anchors(target):
            yield f"{written}: there is no such heading"


def _list_pages_from(start: Path) -> set[Path]:
    """Return the pages to which the links of a page lead, directly or through other pages.

    A link to a folder leads to its ``README.md``.
    """
    reached, waiting = {start}, [start]
    while waiting:
        for _, target, _ in _links(waiting.pop()):
            page = target / "README.md" if target.is_dir() else target
            if page.suffix == ".md" and page.is_file() and page not in reached:
                reached.add(page)
                waiting.append(page)
    return reached


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_page_lead_to_files_and_headings(page: Path) -> None:
    assert list(_faults(page)) == []


def test_readme_leads_to_every_page() -> None:
    assert set(PAGES) - _list_pages_from(ROOT / "README.md") == set()


def test_map_of_pages_links_each_page_of_docs() -> None:
    page = ROOT / "docs" / "README.md"
    linked = {target for _, target, _ in _links(page)}
    assert {each for each in PAGES if page.parent in each.parents} - {page} - linked == set()


def test_folder_of_page_is_its_kind() -> None:
    below = [path.relative_to(ROOT / "docs") for path in ROOT.glob("docs/**/*.md")]
    assert {path.parts[0] for path in below} == {*_KINDS, "README.md"}


@pytest.mark.parametrize(
    ("link", "fault"),
    [
        ("gone.md", "no such file"),
        ("folder/gone.md#title", "no such file"),
        ("page.md#gone", "no such heading"),
        ("#gone", "no such heading"),
        ("page.md#a-title-with-code-and-more", ""),
        ("#twice-1", ""),
        ("https://example.org/gone#gone", ""),
    ],
)
def test_broken_link_is_found(tmp_path: Path, link: str, fault: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"# A title, with `code` and more\n\n[x]({link})\n\n## Twice\n\n## Twice\n")
    faults = " ".join(_faults(page))
    assert fault in faults
    assert bool(fault) == bool(faults)
