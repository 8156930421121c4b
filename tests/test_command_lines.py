"""Every line of a page that begins with ``karbor-backup`` names a command and options there are."""

import contextlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from karbor_backup_cli._main import program
from tests.pages.blocks import PAGES

_PROGRAM = "karbor-backup"
_PROMPT = re.compile(r"^\s*(?:[$#] )?(?=karbor-backup )")
_STAND_INS = {"VERB": "protect", "DURATION": "30d", "/etc/karbor/karbor.conf": __file__}
"""Words of a page that stand for one of several, where the parser wants one of these."""


def _split_tokens(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _split_tokens(token.children or [])


def _list_lines(page: Path) -> Iterator[str]:
    """Yield what a page gives to be run: lines of its blocks, and code within its text."""
    for token in _split_tokens(
        MarkdownIt().enable("table").parse(page.read_text(encoding="utf-8"))
    ):
        if token.type == "fence":
            joined = token.content.replace("\\\n", " ")
            command_lines = [
                _PROMPT.sub("", line) for line in joined.splitlines() if _PROMPT.search(line)
            ]
        elif token.type == "code_inline":
            command_lines = [token.content]
        else:
            continue
        yield from (line for line in command_lines if line.startswith(f"{_PROGRAM} "))


_LINES = [(page, line) for page in PAGES for line in _list_lines(page)]


def _expand_brackets(line: str) -> str:
    """Return the line as it is with everything that its brackets make optional."""
    return re.sub(r"\[([^\[\]]*)\]", r"\1", line)


def _parse_line(line: str) -> Iterator[click.Context]:
    """Parse a line with click, without running it; raise what click finds wrong."""
    words = shlex.split(_expand_brackets(line), comments=True)[1:]
    arguments = [_STAND_INS.get(word, word) for word in words]
    context = program.make_context(_PROGRAM, arguments, resilient_parsing=False)
    command: click.Command = program
    while isinstance(command, click.Group):
        rest = [*context._protected_args, *context.args]
        name, subcommand, rest = command.resolve_command(context, rest)
        assert subcommand is not None, name
        command = subcommand
        context = _parse_arguments(command, name, rest, context)
        yield context


def _parse_arguments(
    command: click.Command, name: str | None, rest: list[str], parent: click.Context
) -> click.Context:
    """Parse a command's own arguments; a bare name in a sentence stands for all its forms."""
    lenient = not rest
    return command.make_context(name, rest, parent=parent, resilient_parsing=lenient)


@pytest.mark.parametrize(
    ("page", "line"), _LINES, ids=[f"{page.name}: {line}" for page, line in _LINES]
)
def test_command_line_of_page_is_parsed_by_the_command(page: Path, line: str) -> None:
    # --help and --version are all of their line.
    with contextlib.suppress(click.exceptions.Exit):
        assert list(_parse_line(line)), page


@pytest.mark.parametrize("name", ["README.md", "cli.md", "sandbox/README.md", "recover-karbor.md"])
def test_command_lines_are_found_in_the_pages(name: str) -> None:
    assert [page for page, _ in _LINES if str(page).endswith(f"/{name}")]


@pytest.mark.parametrize(
    "line",
    [
        "karbor-backup optoins protect volume",
        "karbor-backup list --everything",
        "karbor-backup options back-up volume",
        "karbor-backup protect volume",
        "karbor-backup delete BACKUP another",
        "karbor-backup karbor recover PROVIDER --no-such-option",
    ],
)
def test_line_with_unknown_command_or_option_is_reported(line: str) -> None:
    with pytest.raises(click.UsageError):
        list(_parse_line(line))
