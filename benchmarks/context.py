"""What every benchmark is given: how much to do, where, and with what."""

import json
import subprocess
import sys
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

if TYPE_CHECKING:
    from benchmarks.freezer.environment import FreezerEnvironment

T = TypeVar("T")


@attrs.define(slots=False)
class BenchmarkContext:
    """What a benchmark is given.

    Attributes:
        root: the project's checkout.
        scratch: a folder that is removed in the end.
        quick: whether a short look is enough.
        say: tells people, in a line, what is being done.
    """

    root: Path
    scratch: Path
    quick: bool
    say: Callable[[str], None]

    def choose(self, full: T, quick: T) -> T:
        """Return the one that fits how much is to be done."""
        return quick if self.quick else full

    def run_in_process(self, module: str, *arguments: str) -> Any:
        """Run a module in a process of its own; return the JSON in the last line that it prints.

        Raises:
            subprocess.CalledProcessError: it failed; what it says of that is on the screen.
        """
        command = [sys.executable, "-P", "-m", module, *arguments]
        done = subprocess.run(  # noqa: S603 - it starts modules of this project
            command, cwd=self.root, stdout=subprocess.PIPE, text=True, check=True
        )
        return json.loads(done.stdout.splitlines()[-1])

    @cached_property
    def freezer(self) -> "FreezerEnvironment":
        """A real Freezer, brought up at the first use."""
        from benchmarks.freezer.environment import FreezerEnvironment

        return FreezerEnvironment.start(self.root, self.say)

    def close(self) -> None:
        """Take down what was brought up."""
        if "freezer" in vars(self):
            self.freezer.close()
