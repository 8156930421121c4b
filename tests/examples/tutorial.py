"""The tutorial, read as what it tells its reader to do."""

import shlex
from collections.abc import Iterator
from typing import Final

import attrs
from markdown_it import MarkdownIt

from tests.wheels import ROOT

PAGE: Final = ROOT / "docs" / "writing-a-backend.md"


@attrs.frozen
class Block:
    """One fenced block.

    Attributes:
        language: ``sh`` is to be run, ``text`` is what the ``sh`` before it prints; any other one
            with a title is a file, or what a file goes on with.
        text: what stands in it.
        title: the file's path.
        status: the exit status of the last command.
        line: where it begins on the page.
    """

    language: str
    text: str
    title: str = ""
    status: int = 0
    line: int = 0


def blocks() -> Iterator[Block]:
    """Answer all blocks that mean something to the reader's machine, in their order."""
    for token in MarkdownIt().parse(PAGE.read_text(encoding="utf-8")):
        if token.type == "fence" and token.info:
            language, *attributes = shlex.split(token.info)
            given = dict(attribute.split("=") for attribute in attributes)
            line = token.map[0] + 1 if token.map else 0
            status = int(given.get("exit", 0))
            yield Block(language, token.content, given.get("title", ""), status, line)


def files() -> dict[str, str]:
    """Answer the files that the reader has written in the end, by their paths."""
    written: dict[str, str] = {}
    for block in blocks():
        if block.title:
            written[block.title] = _joined(written.get(block.title, ""), block)
    return written


def _joined(before: str, block: Block) -> str:
    return f"{before}\n{block.text}" if before else block.text
