"""The benchmarks, in the order of the report.

Each is a module whose docstring is its text in the report, title first, and whose function
``measure`` yields measurements as it makes them.
"""

import importlib
import inspect
from collections.abc import Iterator
from typing import Final, Protocol, cast

import attrs

from benchmarks.context import BenchmarkContext
from benchmarks.measurement import Measurement

MODULES: Final[tuple[str, ...]] = (
    "benchmarks.freezer.protects",
    "benchmarks.freezer.polls",
    "benchmarks.freezer.plan",
    "benchmarks.core.in_flight",
    "benchmarks.scale.workers",
    "benchmarks.core.operations",
    "benchmarks.core.hooks",
    "benchmarks.core.validation",
    "benchmarks.core.imports",
)

BY_NAME_ONLY: Final = ("benchmarks.freezer.ten_thousand",)
"""Those that take longer than all others together; they run only when they are asked for."""


class MeasureFunction(Protocol):
    """What a benchmark's module has to offer."""

    def __call__(self, context: BenchmarkContext) -> Iterator[Measurement]:
        """Yield measurements."""
        ...


@attrs.frozen
class Benchmark:
    """One benchmark.

    Attributes:
        name: its module, without the first part.
        title: one line.
        text: what was done, and how.
        measure: does it.
    """

    name: str
    title: str
    text: str
    measure: MeasureFunction

    @classmethod
    def load(cls, module: str) -> "Benchmark":
        """Import a benchmark."""
        loaded = importlib.import_module(module)
        title, _, text = (inspect.getdoc(loaded) or module).partition("\n")
        return cls(
            module.removeprefix("benchmarks."),
            title,
            text.strip(),
            cast("MeasureFunction", loaded.measure),
        )


def list_names() -> list[str]:
    """Return the names of all benchmarks."""
    return [module.removeprefix("benchmarks.") for module in (*MODULES, *BY_NAME_ONLY)]


def select(wanted: tuple[str, ...]) -> list[Benchmark]:
    """Load the benchmarks whose names begin with one of these words; the usual ones for none."""
    if not wanted:
        return [Benchmark.load(module) for module in MODULES]
    return [
        Benchmark.load(f"benchmarks.{name}") for name in list_names() if name.startswith(wanted)
    ]
