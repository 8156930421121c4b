"""Runs benchmarks one after the other, and writes down what they bring."""

import datetime as dt
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.context import BenchmarkContext
from benchmarks.measurement import Measurement
from benchmarks.registry import Benchmark
from benchmarks.report import markdown, plots
from benchmarks.results import BenchmarkResult, BenchmarkRun


def run_all(
    benchmarks: Sequence[Benchmark], root: Path, *, quick: bool, say: Callable[[str], None]
) -> BenchmarkRun:
    """Run benchmarks; one that fails does not keep the others from running.

    Args:
        benchmarks: which.
        root: the project's checkout.
        quick: whether a short look is enough.
        say: is told each measurement as it is made.
    """
    began = dt.datetime.now(dt.UTC)
    with tempfile.TemporaryDirectory(prefix="karbor-backup-bench-") as scratch:
        context = BenchmarkContext(root, Path(scratch), quick, say)
        try:
            results = [_run_benchmark(benchmark, context) for benchmark in benchmarks]
        finally:
            context.close()
    return BenchmarkRun.create(results, began, quick=quick)


def write_report(run: BenchmarkRun, folder: Path) -> Path:
    """Write a run as JSON, Markdown and plots; return the page."""
    folder.mkdir(parents=True, exist_ok=True)
    run.save(folder / "results.json")
    page = folder / "results.md"
    page.write_text(markdown.render_page(run, plots.draw_plots(run, folder)))
    return page


def _run_benchmark(benchmark: Benchmark, context: BenchmarkContext) -> BenchmarkResult:
    context.say(f"== {benchmark.title}")
    start = time.perf_counter()
    measurements: list[Measurement] = []
    failure = ""
    try:
        for measurement in benchmark.measure(context):
            measurements.append(measurement)
            context.say(_format_measurement(measurement))
    except Exception as error:  # noqa: BLE001 - the other benchmarks are still worth running
        failure = f"{type(error).__name__}: {error}"
        context.say(traceback.format_exc())
    return BenchmarkResult(
        benchmark.name,
        benchmark.title,
        benchmark.text,
        time.perf_counter() - start,
        measurements,
        failure,
    )


def _format_measurement(measurement: Measurement) -> str:
    parameters = ", ".join(f"{value} {name}" for name, value in measurement.parameters.items())
    value = f"{markdown.format_number(measurement.value)} {measurement.unit}"
    return f"   {measurement.what} [{parameters}] {measurement.subject}: {value}"
