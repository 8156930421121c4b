"""Answers on the standard output: one JSON document, or tables and lines for a person."""

import contextlib
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from karbor_backup_cli._streams import OutputLost, write_output
from karbor_backup_core import printable

_COLUMN_GAP: Final = 2
_MAX_WIDTH: Final = 10_000


def emit_json(document: Any) -> None:
    """Write one JSON document, in ASCII.

    Names of files need not be text (Python reads the other bytes as lone surrogates), and may hold
    control characters: escaped, they pass through every encoding and terminal.

    Raises:
        OutputLost: it cannot be written.
    """
    write_output(json.dumps(document, indent=2))


def emit_lines(lines: Iterable[str]) -> None:
    """Write lines, each of them in one line of the terminal.

    Raises:
        OutputLost: they cannot be written.
    """
    for line in lines:
        write_output(printable(line))


def emit_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a table; ids in it are never cut, however narrow the terminal is.

    Raises:
        OutputLost: it cannot be written.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, _COLUMN_GAP, 0, 0), pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(Text(printable(column)), no_wrap=True)
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    console = Console()
    unlimited = console.options.update(max_width=_MAX_WIDTH)
    console.width = max(console.width, console.measure(table, options=unlimited).maximum)
    with console.capture() as capture:
        console.print(table, soft_wrap=True)
    write_output(capture.get().removesuffix("\n"), styled=True)


@contextlib.contextmanager
def reporting_lost_output(done: str, *, failed: bool = False) -> Iterator[None]:
    """Have an answer that cannot be written say what was done all the same.

    Args:
        done: what was done, with the ids to find it by.
        failed: whether that is another end than was asked for.

    Raises:
        OutputLost: the answer cannot be written.
    """
    try:
        yield
    except OutputLost as error:
        raise OutputLost(error.reason, done, failed=failed) from error
