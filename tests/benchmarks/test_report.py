"""What a run's numbers become on the page."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from benchmarks.measurement import OURS, Goal, Measurement
from benchmarks.report import markdown
from benchmarks.results import BenchmarkResult, BenchmarkRun

PEER = "hand-written loop"


def measurement_of(subject: str, value: float, **more: Any) -> Measurement:
    given = {"what": "CPU", "unit": "ms", "parameters": {"in flight": 10}, **more}
    return Measurement(subject=subject, value=value, **given)


def run_of(*measurements: Measurement, failure: str = "") -> BenchmarkRun:
    result = BenchmarkResult("freezer.x", "A title.", "A text.", 1.0, measurements, failure)
    return BenchmarkRun("now", "a machine", quick=False, results=[result])


@pytest.mark.parametrize(
    ("goal", "measured", "met"),
    [
        (Goal(2), [], True),
        (Goal(1.9), [], False),
        (Goal(1.0, of=PEER), [measurement_of(PEER, 2)], True),
        (Goal(1.0, of=PEER), [measurement_of(PEER, 1)], False),
        (Goal(1.0, of=PEER), [measurement_of("another", 1)], None),
        (Goal(1.0, of=PEER), [measurement_of(PEER, 1, parameters={"in flight": 100})], None),
        (Goal(1.0, of=PEER), [measurement_of(PEER, 1, what="requests")], None),
        (None, [], None),
    ],
)
def test_goal_is_compared_with_a_limit_or_a_peer(
    goal: Goal | None, measured: Sequence[Measurement], *, met: bool | None
) -> None:
    ours = measurement_of(OURS, 2, goal=goal)
    assert ours.meets_goal([ours, *measured]) is met


def test_page_shows_the_ratio_to_the_peer() -> None:
    page = markdown.render_page(
        run_of(measurement_of(OURS, 2, goal=Goal(1.0, of=PEER)), measurement_of(PEER, 4)),
        ["a-plot.svg"],
    )
    assert f"| CPU | 10 in flight | {OURS} | 2 ms | {PEER}: 0.5 | ≤ 1 times {PEER} met |" in page
    assert "## A title\n\nA text.\n" in page
    assert "![a plot](a-plot.svg)" in page


def test_missed_goal_is_reported() -> None:
    missed = measurement_of(OURS, 3, goal=Goal(2))
    assert run_of(missed, measurement_of(PEER, 1)).unmet_goals == [missed]
    assert "≤ 2 **not met**" in markdown.render_page(run_of(missed), [])


def test_failed_benchmark_keeps_its_measurements() -> None:
    page = markdown.render_page(run_of(measurement_of(OURS, 3), failure="RuntimeError: no"), [])
    assert "3 ms" in page
    assert "broke off: `RuntimeError: no`" in page


def test_a_run_is_written_as_json(tmp_path: Path) -> None:
    run_of(measurement_of(OURS, 2, goal=Goal(1.0, of=PEER))).save(tmp_path / "results.json")
    (result,) = json.loads((tmp_path / "results.json").read_text())["results"]
    (measurement,) = result["measurements"]
    assert measurement["value"] == 2
    assert measurement["goal"] == {"at_most": 1.0, "of": PEER}


def test_numbers_are_rounded_to_significant_digits() -> None:
    assert [markdown.format_number(x) for x in (0.001234, 3.04999, 99.5, 12345.6)] == [
        "0.00123",
        "3.05",
        "99.5",
        "12,346",
    ]
