"""The fenced blocks of the pages, with the test that runs each of them.

A block names its test behind its language, where no reader of the page sees it::

    ```toml run-by=tests/pages/test_configurations.py::test_configuration_is_read

A page whose blocks have all the same test names it once, in a comment of its own line::

    <!-- run-by: tests/examples/test_tutorial.py::test_tutorial_commands_print_what_it_shows -->

What cannot be run says why: ``not-run="..."``.
"""

import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import attrs
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.support.wheels import ROOT

PAGES: Final = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "sandbox/*.md", "tests/support/*.md", "examples/*/*.md")
    for path in ROOT.glob(pattern)
)
"""All pages of the project; what an environment or a cache has brought is not among them."""

SHELLS: Final = ("sh", "bash", "console")
"""The languages of commands. In a console those stand behind a prompt, above what they print."""

_DEFAULT: Final = re.compile(r"^<!-- run-by: (\S+) -->$", re.MULTILINE)
_PROMPT: Final = re.compile(r"[$#] ")
_CONTINUED: Final = re.compile(r"\\\n\s*")


@attrs.frozen
class Block:
    """One fenced block.

    Attributes:
        page: the page's path, from the checkout on.
        line: the line where it begins.
        language: the first word behind the fence.
        text: what is in it.
        title: the path of the file whose content, or more of whose content, it shows.
        status: the exit status of the last command.
        run_by: the test that runs it, as pytest names it.
        not_run: why no test runs it.
    """

    page: str
    line: int
    language: str
    text: str
    title: str = ""
    status: int = 0
    run_by: str = ""
    not_run: str = ""

    def __str__(self) -> str:
        return f"{self.page}, line {self.line}"

    @property
    def commands(self) -> Sequence[str]:
        """The commands to be typed, each on one line."""
        lines = _CONTINUED.sub("", self.text).splitlines()
        if self.language == "console":
            lines = [line[2:] for line in lines if _PROMPT.match(line)]
        return [line for line in lines if line]

    @property
    def shown(self) -> str:
        """What a console prints between the commands."""
        return "".join(
            line for line in self.text.splitlines(keepends=True) if not _PROMPT.match(line)
        )


def tokens(page: Path) -> list[Token]:
    """Parse a page."""
    return MarkdownIt().parse(page.read_text(encoding="utf-8"))


def blocks(page: Path) -> Iterator[Block]:
    """Yield the fenced blocks of a page, in their order."""
    default = "".join(_DEFAULT.findall(page.read_text(encoding="utf-8")))
    for token in tokens(page):
        if token.type == "fence":
            language, *attributes = shlex.split(token.info) or [""]
            given = dict(attribute.split("=", 1) for attribute in attributes)
            not_run = given.get("not-run", "")
            yield Block(
                str(page.relative_to(ROOT)) if page.is_relative_to(ROOT) else str(page),
                token.map[0] + 1 if token.map else 0,
                language,
                token.content,
                title=given.get("title", ""),
                status=int(given.get("exit", 0)),
                run_by=given.get("run-by", "" if not_run else default),
                not_run=not_run,
            )


def blocks_run_by(test: str) -> list[Block]:
    """Return the blocks of all pages that name a test, ``path::function``."""
    return [block for page in PAGES for block in blocks(page) if block.run_by == test]
