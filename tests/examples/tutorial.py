"""The tutorial, read as the files that its reader has written in the end."""

from typing import Final

from tests.pages.blocks import Block, blocks
from tests.support.wheels import ROOT

PAGE: Final = ROOT / "docs" / "tutorial" / "writing-a-backend.md"


def final_files() -> dict[str, str]:
    """Return the files that the reader has written in the end, by their paths."""
    written: dict[str, str] = {}
    for block in blocks(PAGE):
        if block.title:
            written[block.title] = _join_lines(written.get(block.title, ""), block)
    return written


def _join_lines(before: str, block: Block) -> str:
    return f"{before}\n{block.text}" if before else block.text
