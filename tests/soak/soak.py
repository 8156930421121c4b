"""Runs attacks in turn, each for its share of the time."""

import contextlib
import itertools
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from tests.soak.report import SuiteRun, list_not_run, write_report
from tests.soak.suites import Suite

_OUTPUT_LINES: Final = 60
_MIN_SECONDS: Final = 120.0
"""Seconds in which a busy machine has imported what an attack needs, and ended a test of it."""
_CUT_SHORT_STATUSES: Final = (2, -signal.SIGTERM, -signal.SIGKILL)
"""Statuses of a run that was cut short: by then pytest may not have begun, or may hang."""
_SUMMARY_SECONDS: Final = 30.0
"""How long a run that was cut short may take to say what it has done so far."""

_SUMMARY: Final = re.compile(r" in [0-9.]+s\b")
_TEST_COUNTS: Final = re.compile(r"(\d+) (passed|failed|xfailed|xpassed)\b")
_FAILURES: Final = re.compile(r"\d+ (failed|error)")


def soak(attacks: Sequence[Suite], ends: float, folder: Path, least: float = _MIN_SECONDS) -> int:
    """Run the attacks in turn until the time is over, each of them once at least.

    What one leaves of its share is shared by those after it. In the first turn no share is shorter
    than ``least``, so that pytest has come to its first tests: a short soak outlasts its time
    rather than leave an attack out.

    Args:
        attacks: what to run.
        ends: when the time is over, in seconds of ``time.monotonic``.
        folder: where the report is written, after each run.
        least: seconds that each attack gets in the first turn, if it needs them.

    Returns:
        1 if a run has failed or no test of an attack came to an end, else 0.
    """
    runs: list[SuiteRun] = []
    write_report(folder, attacks, runs)
    for turn in itertools.count():
        for position, attack in enumerate(attacks):
            left = ends - time.monotonic()
            if turn and left <= 0:
                break
            share = left / (len(attacks) - position)
            runs.append(run_suite(attack, share if turn else max(share, least)))
            end = " (cut short)" if runs[-1].cut_short else ""
            _print_line(f"{attack.name}: {runs[-1].summary}{end}")
            write_report(folder, attacks, runs)
        if time.monotonic() >= ends:
            break
    missing = list_not_run(attacks, runs)
    for name in missing:
        _print_line(f"{name}: not run")
    return int(bool(missing) or any(run.failed for run in runs))


def run_suite(attack: Suite, share: float) -> SuiteRun:
    """Run one attack with a new seed, and cut it short after its share in seconds."""
    seed = random.SystemRandom().randrange(2**32)
    began = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-q", "--no-header", "--tb=short"]
    command += ["-p", "tests.soak.pytest_profile", "--hypothesis-profile=soak"]
    command += [f"--hypothesis-seed={seed}", *attack.tests]
    status, output, cut_short = _run_program(command, share)
    lines = output.rstrip().splitlines()
    summary = next((line for line in reversed(lines) if _SUMMARY.search(line)), "")
    tests = sum(int(count) for count, _ in _TEST_COUNTS.findall(summary))
    # The signal may come after the last test, and hit whatever Python does at its end.
    ended_well = status == 0 or (cut_short and (status in _CUT_SHORT_STATUSES or tests > 0))
    failed = not ended_well or _FAILURES.search(summary) is not None
    return SuiteRun(
        attack=attack.name,
        seed=seed,
        seconds=time.monotonic() - began,
        tests=tests,
        failed=failed,
        cut_short=cut_short,
        summary=summary.strip("= ") or f"no summary, status {status}",
        output="\n".join(lines[-_OUTPUT_LINES:]) if failed else "",
    )


def _run_program(command: Sequence[str], share: float) -> tuple[int, str, bool]:
    """Return a program's status, what it wrote, and whether its share ended before it did."""
    with _start_program(command) as process:
        try:
            return *_wait_for_exit(process, share), False
        except subprocess.TimeoutExpired:
            process.terminate()
        try:
            return *_wait_for_exit(process, _SUMMARY_SECONDS), True
        except subprocess.TimeoutExpired:
            _kill_all(process)
        return *_wait_for_exit(process, None), True


@contextlib.contextmanager
def _start_program(command: Sequence[str]) -> "Iterator[subprocess.Popen[str]]":
    """Start a program in a group of its own, of which nothing is left in the end."""
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            _kill_all(process)


def _wait_for_exit(process: "subprocess.Popen[str]", seconds: float | None) -> tuple[int, str]:
    output, _ = process.communicate(timeout=seconds)
    return process.returncode, output


def _kill_all(process: "subprocess.Popen[str]") -> None:
    """Kill what is left of a run, the processes that its tests have started among it."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _print_line(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
