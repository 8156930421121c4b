"""The report of a soak: what ran, what failed, and what did not run at all."""

import json
from collections.abc import Sequence
from pathlib import Path

import attrs

from tests.soak.suites import Suite


@attrs.frozen
class SuiteRun:
    """One run of an attack.

    Attributes:
        attack: its name.
        seed: the seed of hypothesis and of the tests' order.
        seconds: how long it took.
        tests: how many tests came to an end, whichever.
        failed: whether a test failed, or pytest itself.
        cut_short: whether its share of the time ended before its tests did.
        summary: pytest's last line.
        output: the last lines of a run that failed.
    """

    attack: str
    seed: int
    seconds: float
    tests: int
    failed: bool
    cut_short: bool
    summary: str
    output: str


def list_not_run(attacks: Sequence[Suite], runs: Sequence[SuiteRun]) -> list[str]:
    """Return the names of the attacks of which no test came to an end."""
    ran = {run.attack for run in runs if run.tests}
    return [attack.name for attack in attacks if attack.name not in ran]


def write_report(folder: Path, attacks: Sequence[Suite], runs: Sequence[SuiteRun]) -> None:
    """Write ``report.json``, and ``report.md`` to read."""
    document = {
        "not_run": list_not_run(attacks, runs),
        "runs": [attrs.asdict(run) for run in runs],
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(json.dumps(document, indent=2), encoding="utf-8")
    (folder / "report.md").write_text(_render_page(attacks, runs), encoding="utf-8")


def _render_page(attacks: Sequence[Suite], runs: Sequence[SuiteRun]) -> str:
    ran = len(attacks) - len(list_not_run(attacks, runs))
    failed_runs, tests_run = sum(run.failed for run in runs), sum(run.tests for run in runs)
    counts = f"{len(runs)} runs, {tests_run} tests, {failed_runs} runs failed"
    lines = ["# Soak", "", f"{ran} of {len(attacks)} attacks ran: {counts}.", ""]
    lines += ["| attack | runs | tests | failed | cut short | seconds |"]
    lines.append("|---|---|---|---|---|---|")
    for attack in attacks:
        own = [run for run in runs if run.attack == attack.name]
        failed, cut = sum(run.failed for run in own), sum(run.cut_short for run in own)
        tests, seconds = sum(run.tests for run in own), sum(run.seconds for run in own)
        lines.append(f"| {attack.name} | {len(own)} | {tests} | {failed} | {cut} | {seconds:.0f} |")
    if missing := list_not_run(attacks, runs):
        lines += ["", "## Not run", "", *(f"- {name}" for name in missing)]
    for run in runs:
        if run.failed:
            title = f"## {run.attack}, seed {run.seed}"
            lines += ["", title, "", "```", run.output, "```"]
    return "\n".join([*lines, ""])
