"""Ten thousand protects in flight.

Ours alone, in one process, against the real Freezer API: creating the jobs takes the API minutes,
so each job takes a quarter of an hour, and all are in flight at once before the first one ends.
"""

from collections.abc import Iterator
from typing import Final

from benchmarks.freezer.protects import measured
from benchmarks.measurement import OURS, Measurement
from benchmarks.workbench import Workbench

COUNT: Final = 10_000
SECONDS: Final = 900.0


def measure(workbench: Workbench) -> Iterator[Measurement]:
    """Measure ours."""
    count, seconds = workbench.pick((COUNT, SECONDS), (100, 5.0))
    yield from measured(workbench, OURS, count, seconds, ["protect"])
