"""The output of the demonstration: numbered steps, commands as one types them, and times."""

import os
import shlex
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import attrs
from rich.console import Console
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from sandbox.subprocesses import running_program

_INDENT: Final = 2

_STOP_TIMEOUT: Final = 15.0
"""Seconds for a command to end after it was told to, before it is killed."""


class CommandError(Exception):
    """A command of the demonstration did not succeed."""


@attrs.define
class DemoConsole:
    """Prints the steps of the demonstration and runs its commands.

    Attributes:
        programs: the directory with the commands.
        environ: what is set for every command.
        console: where it prints.
        times: how long each step took, in seconds, by title.
    """

    programs: Path
    environ: Mapping[str, str] = attrs.field(factory=dict)
    console: Console = attrs.field(factory=lambda: Console(highlight=False))
    times: dict[str, float] = attrs.field(factory=dict)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Print the title of a step, and note how long the step took."""
        self.console.print()
        self.console.print(Rule(Text(f"{len(self.times) + 1}. {title}", "bold"), align="left"))
        began = time.monotonic()
        try:
            yield
        finally:
            self.times[title] = time.monotonic() - began

    def print_text(self, text: str) -> None:
        """Print a text as it is, indented."""
        self.console.print(Padding(Text(text), (0, 0, 0, _INDENT), expand=False))

    def print_file(self, path: Path) -> None:
        """Print a short text file."""
        for line in path.read_text(encoding="utf-8").splitlines():
            self.console.print(Text(f"  | {line}".rstrip(), style="dim"), soft_wrap=True)

    def print_environ(self) -> None:
        """Print what to set to type the commands oneself."""
        for name, value in self.environ.items():
            self._print_typed(f"export {name}={shlex.quote(value)}")
        self._print_typed(f"PATH={shlex.quote(str(self.programs))}:$PATH")

    def run_command(self, *arguments: str) -> None:
        """Print a ``karbor-backup`` command and run it; its output is shown.

        Raises:
            CommandError: it did not succeed.
        """
        self._print_command(arguments)
        command, environ = self._command_line(arguments), self._command_environ()
        with running_program(command, environ, _STOP_TIMEOUT) as process:
            status = process.wait()
        if status:
            raise CommandError(f"karbor-backup {arguments[0]} ended with status {status}")

    def read_command(self, *arguments: str) -> str:
        """Print a ``karbor-backup`` command, run it and return its output.

        Raises:
            CommandError: it did not succeed.
        """
        self._print_command(arguments)
        done = subprocess.run(
            self._command_line(arguments),
            env=self._command_environ(),
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            raise CommandError(f"karbor-backup {arguments[0]} ended with status {done.returncode}")
        return done.stdout

    def print_times(self) -> None:
        """Print how long each step took."""
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
        table.add_column(justify="right")
        for title, seconds in self.times.items():
            table.add_row(f"{seconds:.1f} s", title)
        table.add_row(f"{sum(self.times.values()):.1f} s", "altogether")
        self.console.print(Padding(table, (0, 0, 0, _INDENT), expand=False))

    def _print_command(self, arguments: Sequence[str]) -> None:
        self._print_typed(shlex.join(("karbor-backup", *arguments)))

    def _print_typed(self, line: str) -> None:
        self.console.print(Text(f"  $ {line}", style="bold cyan"), soft_wrap=True)

    def _command_line(self, arguments: Sequence[str]) -> list[str]:
        return [str(self.programs / "karbor-backup"), *arguments]

    def _command_environ(self) -> dict[str, str]:
        return {**os.environ, **self.environ}
