"""Run the attacks again and again for a time, and write a report: ``python -m tests.soak``.

``SOAK_SECONDS`` is how long, by default an hour. Each run has a seed of its own, by which it can
be repeated; hypothesis keeps what has failed in ``build/soak/examples``.
"""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import attrs

from tests.soak.attacks import ATTACKS, Attack

FOLDER: Final = Path("build/soak")
_HOUR: Final = 3600.0
_LINES: Final = 60
_NOTHING_SELECTED: Final = 5


@attrs.frozen
class Run:
    """One run of an attack.

    Attributes:
        attack: its name.
        seed: the seed of hypothesis.
        seconds: how long it took.
        status: pytest's exit status; 0 for a run without a failure.
        summary: pytest's last line.
        output: the last lines of a run that failed.
    """

    attack: str
    seed: int
    seconds: float
    status: int
    summary: str
    output: str


def main() -> int:
    """Run the attacks in turn until the time is over; return whether any has failed."""
    ends = time.monotonic() + float(os.environ.get("SOAK_SECONDS") or _HOUR)
    FOLDER.mkdir(parents=True, exist_ok=True)
    runs: list[Run] = []
    while time.monotonic() < ends:
        for attack in ATTACKS:
            if runs and time.monotonic() >= ends:
                break
            runs.append(_run(attack, max(ends - time.monotonic(), 1.0)))
            sys.stdout.write(f"{runs[-1].attack}: {runs[-1].summary}\n")
            sys.stdout.flush()
            _write(runs)
    return int(any(run.status for run in runs))


def _run(attack: Attack, left: float) -> Run:
    """Run one attack; one that the end of the time cuts short has not failed."""
    seed = random.SystemRandom().randrange(2**32)
    began = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", "--tb=short"]
    command += ["-p", "tests.soak.profile", "--hypothesis-profile=soak"]
    command += [f"--hypothesis-seed={seed}", *attack.tests]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=left, check=False)
    except subprocess.TimeoutExpired:
        return Run(attack.name, seed, left, 0, "cut short by the end of the time", "")
    lines = (done.stdout + done.stderr).rstrip().splitlines()
    failed = done.returncode != 0
    summary = next((x for x in reversed(lines) if " in " in x), f"status {done.returncode}")
    if done.returncode == _NOTHING_SELECTED:
        summary = "nothing was selected: correct tests/soak/attacks.py"
    output = "\n".join(lines[-_LINES:]) if failed else ""
    return Run(attack.name, seed, time.monotonic() - began, done.returncode, summary, output)


def _write(runs: Iterable[Run]) -> None:
    """Write what ran so far, as JSON and as a page to read."""
    documents = [attrs.asdict(run) for run in runs]
    (FOLDER / "report.json").write_text(json.dumps(documents, indent=2), encoding="utf-8")
    (FOLDER / "report.md").write_text(_page(documents), encoding="utf-8")


def _page(runs: list[dict[str, Any]]) -> str:
    lines = ["# Soak", "", "| attack | runs | failed | seconds |", "|---|---|---|---|"]
    for attack in ATTACKS:
        own = [run for run in runs if run["attack"] == attack.name]
        failed = sum(run["status"] != 0 for run in own)
        seconds = sum(run["seconds"] for run in own)
        lines.append(f"| {attack.name} | {len(own)} | {failed} | {seconds:.0f} |")
    for run in runs:
        if run["status"]:
            lines += [
                "",
                f"## {run['attack']}, seed {run['seed']}",
                "",
                "```",
                run["output"],
                "```",
            ]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.exit(main())
