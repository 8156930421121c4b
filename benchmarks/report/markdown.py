"""A run as a page of Markdown."""

from collections.abc import Iterator, Sequence
from typing import Final

from benchmarks.measurement import OURS, Measurement
from benchmarks.results import BenchmarkResult, BenchmarkRun

_VERDICTS: Final = {True: "met", False: "**not met**", None: ""}
_WHOLE: Final = 100


def render_page(run: BenchmarkRun, plots: Sequence[str]) -> str:
    """Return the page.

    Args:
        run: what to tell.
        plots: names of the plots beside the page.
    """
    return "\n".join(_render_lines(run, plots)) + "\n"


def _render_lines(run: BenchmarkRun, plots: Sequence[str]) -> Iterator[str]:
    yield "# Benchmarks"
    yield ""
    yield f"{run.began}{', a short look' if run.quick else ''}; {run.machine}."
    yield ""
    for result in run.results:
        yield from _render_section(result)
    for plot in plots:
        yield f"![{plot.removesuffix('.svg').replace('-', ' ')}]({plot})"
        yield ""


def _render_section(result: BenchmarkResult) -> Iterator[str]:
    yield f"## {result.title.rstrip('.')}"
    yield ""
    if result.text:
        yield result.text
        yield ""
    if result.measurements:
        yield from _render_table(result.measurements)
        yield ""
    if result.failure:
        yield f"It broke off: `{result.failure}`"
        yield ""
    yield f"Took {result.seconds:.0f} s (`{result.name}`)."
    yield ""


def _render_table(measurements: Sequence[Measurement]) -> Iterator[str]:
    yield "| what | with | subject | value | as a multiple of | goal |"
    yield "|---|---|---|---:|---|---|"
    for measurement in measurements:
        # What others are of each other is not the question.
        is_ours = measurement.subject.startswith(OURS)
        ratios = measurement.ratios(measurements) if is_ours else {}
        cells = (
            measurement.what,
            ", ".join(f"{value} {name}" for name, value in measurement.parameters.items()),
            measurement.subject + (f" ({measurement.note})" if measurement.note else ""),
            f"{format_number(measurement.value)} {measurement.unit}",
            ", ".join(f"{subject}: {format_number(ratio)}" for subject, ratio in ratios.items()),
            _format_goal(measurement, measurements),
        )
        yield f"| {' | '.join(cells)} |"


def format_number(value: float) -> str:
    """Return a number with as many digits as tell something."""
    return f"{value:,.0f}" if abs(value) >= _WHOLE else f"{value:.3g}"


def _format_goal(measurement: Measurement, all_of_them: Sequence[Measurement]) -> str:
    if measurement.goal is None:
        return ""
    verdict = _VERDICTS[measurement.meets_goal(all_of_them)]
    return f"{measurement.goal} {verdict}".strip()
