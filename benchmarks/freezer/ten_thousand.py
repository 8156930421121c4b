"""Ten thousand protects in flight.

Ours alone, in one process, against the real Freezer API: creating the jobs takes the API minutes,
so each job takes a quarter of an hour, and all are in flight at once before the first one ends.
"""

from collections.abc import Iterator
from typing import Final

from benchmarks.context import BenchmarkContext
from benchmarks.freezer.protects import measure_subject
from benchmarks.measurement import OURS, Measurement

COUNT: Final = 10_000
SECONDS: Final = 900.0


def measure(context: BenchmarkContext) -> Iterator[Measurement]:
    """Measure ours."""
    count, seconds = context.choose((COUNT, SECONDS), (100, 5.0))
    yield from measure_subject(context, OURS, count, seconds, ["protect"])
