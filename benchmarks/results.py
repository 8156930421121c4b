"""What a run has brought, as it is written to and read from a file."""

import datetime as dt
import json
import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import attrs
import cattrs
import psutil

from benchmarks.measurement import Measurement


@attrs.frozen
class BenchmarkResult:
    """What one benchmark has brought.

    Attributes:
        name: of the benchmark.
        title: one line.
        text: what was done.
        seconds: how long it took.
        measurements: what was measured, in that order.
        failure: why it broke off; empty when it did not.
    """

    name: str
    title: str
    text: str
    seconds: float
    measurements: Sequence[Measurement]
    failure: str = ""


@attrs.frozen
class BenchmarkRun:
    """A whole run.

    Attributes:
        began: when, in UTC.
        machine: what it ran on.
        quick: whether it was a short look.
        results: by benchmark, in the order of the catalogue.
    """

    began: str
    machine: str
    quick: bool
    results: Sequence[BenchmarkResult]

    @classmethod
    def create(
        cls, results: Sequence[BenchmarkResult], began: dt.datetime, *, quick: bool
    ) -> "BenchmarkRun":
        """Describe a run that has just ended on this machine."""
        return cls(f"{began:%Y-%m-%d %H:%M} UTC", describe_machine(), quick, results)

    @property
    def unmet_goals(self) -> list[Measurement]:
        """The measurements that do not meet their goals."""
        return [
            measurement
            for result in self.results
            for measurement in result.measurements
            if measurement.meets_goal(result.measurements) is False
        ]

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        document = cattrs.unstructure(self)
        path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def describe_machine() -> str:
    """Describe this machine: processors, memory, Python, the packages that matter."""
    memory = psutil.virtual_memory().total / 2**30
    return (
        f"{os.cpu_count()} processors, {memory:.0f} GiB, {platform.system()} "
        f"{platform.machine()}, Python {platform.python_version()}, karbor-backup "
        f"{version('karbor-backup')}"
    )
