"""Plots of what was measured at several numbers of operations in flight."""

import importlib
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.measurement import Measurement
from benchmarks.results import BenchmarkRun

AXIS: Final = "in flight"
"""The parameter that the plots go along."""


def draw_plots(run: BenchmarkRun, folder: Path) -> list[str]:
    """Draw one plot for each thing that was measured along the axis; return the files' names."""
    grouped: dict[tuple[str, str], list[Measurement]] = defaultdict(list)
    for result in run.results:
        for measurement in result.measurements:
            if set(measurement.parameters) == {AXIS}:
                grouped[measurement.what, measurement.unit].append(measurement)
    names = []
    for (what, unit), measurements in grouped.items():
        if len({m.parameters[AXIS] for m in measurements}) > 1:
            name = f"{re.sub('[^a-z0-9]+', '-', what.lower()).strip('-')}.svg"
            _draw_plot(what, unit, measurements, folder / name)
            names.append(name)
    return names


def _draw_plot(what: str, unit: str, measurements: Sequence[Measurement], path: Path) -> None:
    # By name: lint runs where it need not be installed.
    importlib.import_module("matplotlib").rcParams["svg.hashsalt"] = what
    figure = importlib.import_module("matplotlib.figure").Figure(
        figsize=(6, 3.6), layout="constrained"
    )
    axes: Any = figure.subplots()
    for subject in dict.fromkeys(m.subject for m in measurements):
        points = sorted((m.parameters[AXIS], m.value) for m in measurements if m.subject == subject)
        axes.plot(*zip(*points, strict=True), marker="o", label=subject)
    goals = {m.goal.at_most for m in measurements if m.goal is not None and m.goal.of is None}
    for goal in goals:
        axes.axhline(goal, linestyle="--", linewidth=1, color="grey", label=f"goal ≤ {goal:g}")
    axes.set(title=what, xlabel="operations in flight", ylabel=unit, xscale="log")
    axes.set_ylim(bottom=0)
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize="small")
    figure.savefig(path, format="svg", metadata={"Date": None})
