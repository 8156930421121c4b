"""Runs benchmarks one after the other, and writes down what they bring."""

import datetime as dt
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.catalogue import Benchmark
from benchmarks.measurement import Measurement
from benchmarks.report import markdown, plots
from benchmarks.results import Result, Run
from benchmarks.workbench import Workbench


def run_all(
    benchmarks: Sequence[Benchmark], root: Path, *, quick: bool, say: Callable[[str], None]
) -> Run:
    """Run benchmarks; one that fails does not keep the others from running.

    Args:
        benchmarks: which.
        root: the project's checkout.
        quick: whether a short look is enough.
        say: is told each measurement as it is made.
    """
    began = dt.datetime.now(dt.UTC)
    with tempfile.TemporaryDirectory(prefix="karbor-backup-bench-") as scratch:
        workbench = Workbench(root, Path(scratch), quick, say)
        try:
            results = [_run(benchmark, workbench) for benchmark in benchmarks]
        finally:
            workbench.close()
    return Run.of(results, began, quick=quick)


def write(run: Run, folder: Path) -> Path:
    """Write a run as JSON, Markdown and plots; return the page."""
    folder.mkdir(parents=True, exist_ok=True)
    run.save(folder / "results.json")
    page = folder / "results.md"
    page.write_text(markdown.page(run, plots.draw(run, folder)))
    return page


def _run(benchmark: Benchmark, workbench: Workbench) -> Result:
    workbench.say(f"== {benchmark.title}")
    start = time.perf_counter()
    measurements: list[Measurement] = []
    failure = ""
    try:
        for measurement in benchmark.measure(workbench):
            measurements.append(measurement)
            workbench.say(_line(measurement))
    except Exception as error:  # noqa: BLE001 - the other benchmarks are still worth running
        failure = f"{type(error).__name__}: {error}"
        workbench.say(traceback.format_exc())
    return Result(
        benchmark.name,
        benchmark.title,
        benchmark.text,
        time.perf_counter() - start,
        measurements,
        failure,
    )


def _line(measurement: Measurement) -> str:
    parameters = ", ".join(f"{value} {name}" for name, value in measurement.parameters.items())
    value = f"{markdown.number(measurement.value)} {measurement.unit}"
    return f"   {measurement.what} [{parameters}] {measurement.subject}: {value}"
