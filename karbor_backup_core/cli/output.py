"""Answers on the standard output: one JSON document, or tables and lines for a person."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

import click

from karbor_backup_core.cli.text import printable

_GAP: Final = 2
_LONGEST: Final = 10_000


def emit_json(document: Any) -> None:
    """Write one JSON document."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


def emit_lines(lines: Iterable[str]) -> None:
    """Write lines as they are."""
    for line in lines:
        click.echo(line)


def emit_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a table; ids in it are never cut, however narrow the terminal is."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, no_wrap=True)
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    console = Console()
    unlimited = console.options.update(max_width=_LONGEST)
    console.width = max(console.width, console.measure(table, options=unlimited).maximum)
    console.print(table, soft_wrap=True)
