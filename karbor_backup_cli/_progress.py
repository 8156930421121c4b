"""What a person sees of operations while they run; nothing where nobody looks."""

import contextlib
import sys
import threading
from types import TracebackType
from typing import Any, Final, Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column
from rich.text import Text

from karbor_backup_cli._formatting import format_amount, format_status, format_subject
from karbor_backup_cli._streams import write_error
from karbor_backup_core import Amount, Operation, printable

_REASON_WIDTH: Final = 60


class ProgressDisplay(Protocol):
    """Shows how operations go; ``update`` may be called from any thread."""

    def __enter__(self) -> Self:
        """Begin to show."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Show no more."""

    def update(self, operation: Operation) -> None:
        """Show how an operation stands now."""

    def show_message(self, line: str) -> None:
        """Tell the person something that stays readable."""


class SilentDisplay:
    """Shows no progress, and says what must be said on the standard error."""

    def __enter__(self) -> Self:
        """Begin to show nothing."""
        return self

    def __exit__(self, *_: object) -> None:
        """Go on showing nothing."""

    def update(self, operation: Operation) -> None:
        """Show nothing."""

    def show_message(self, line: str) -> None:
        """Write a line."""
        write_error(printable(line))


class LiveDisplay:
    """A line for each operation on a terminal, which is gone when the operations are done."""

    def __init__(self, console: Console) -> None:
        self._tasks: dict[str, TaskID] = {}
        self._lock = threading.Lock()
        self._progress = Progress(
            SpinnerColumn("dots" if console.encoding.startswith("utf") else "line"),
            _text_column("{task.description}", Column(ratio=1)),
            _text_column("{task.fields[status]}", Column()),
            BarColumn(bar_width=16),
            _text_column("{task.fields[amount]}", Column()),
            TimeElapsedColumn(),
            _text_column(
                "{task.fields[waits_for]}", Column(max_width=_REASON_WIDTH), style="yellow"
            ),
            console=console,
            transient=True,
            expand=True,
        )

    def __enter__(self) -> Self:
        """Begin to show."""
        self._progress.start()
        self.show_message("Ctrl-C cancels; Ctrl-\\ leaves without cancelling")
        return self

    def __exit__(self, *_: object) -> None:
        """Take it off the screen."""
        # A terminal that was closed is no reason to lose what the operation came to.
        with contextlib.suppress(OSError):
            self._progress.stop()

    def update(self, operation: Operation) -> None:
        """Show how an operation stands now."""
        fields = _progress_fields(operation)
        with self._lock:
            if operation.id not in self._tasks:
                self._tasks[operation.id] = self._progress.add_task(
                    format_subject(operation), **fields
                )
        self._progress.update(self._tasks[operation.id], **fields)

    def show_message(self, line: str) -> None:
        """Write a line above the progress."""
        with contextlib.suppress(OSError):
            self._progress.console.print(Text(printable(line)))


def create_display(*, quiet: bool) -> ProgressDisplay:
    """Return what shows progress here: nothing does where the standard error is no terminal."""
    if quiet or not sys.stderr.isatty():
        return SilentDisplay()
    return LiveDisplay(Console(stderr=True))


def _text_column(template: str, column: Column, *, style: str = "none") -> TextColumn:
    """Return a column in one line, cut where the terminal is too narrow for it."""
    column.no_wrap, column.overflow = True, "ellipsis"
    return TextColumn(template, style=style, markup=False, table_column=column)


def _progress_fields(operation: Operation) -> dict[str, Any]:
    waits = f"waits: {printable(operation.retry.last_error)}" if operation.retry.last_error else ""
    return {
        "total": _total(operation.amount),
        "completed": operation.amount.done or 0,
        "status": format_status(operation),
        "amount": printable(format_amount(operation.amount)),
        "waits_for": waits,
    }


def _total(amount: Amount) -> float | None:
    if amount.total is None and amount.unit == "percent":
        return 100.0
    return amount.total or None
