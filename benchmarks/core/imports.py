"""Import time of the core, and of the command.

Each in fresh processes with warm caches, best of several; of the core, what it adds to a Python
that imports nothing: as a backend imports it, and with every public name, as a program does that
drives operations. What its plugin adds to a start of pytest, beside the same start without it. Then
by package, as `python -X importtime` tells it: its own clock slows
imports down, so that the parts are more than the whole.
"""

import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from benchmarks.context import BenchmarkContext
from benchmarks.core.fake_operations import measure_minimum
from benchmarks.measurement import OURS, Goal, Measurement

_IMPORT_FOR_BACKEND: Final = (
    "-c",
    "from karbor_backup_core import BackendInfo, Operation, Progress, Transient, hookimpl",
)
_IMPORT_ALL: Final = ("-c", "from karbor_backup_core import *")
_IMPORT_REQUIREMENTS: Final = ("-c", "import attrs, pluggy")
_HELP: Final = ("-m", "karbor_backup_cli", "--help")
_PYTEST: Final = ("-m", "pytest", "--version", "--version", "-p", "no:cacheprovider")
_WITHOUT_PLUGIN: Final = ("-p", "no:karbor_backup_contract")
_LINE: Final = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)")
_PACKAGES_SHOWN: Final = 12


def measure(context: BenchmarkContext) -> Iterator[Measurement]:
    """Measure whole processes, then their parts."""
    runs = [("-c", "pass"), _IMPORT_REQUIREMENTS, _IMPORT_FOR_BACKEND, _IMPORT_ALL, _HELP]
    repeats = context.choose(20, 5)
    bare, needed, imported, everything, helped = measure_minimum(
        repeats, [_process_timer(run) for run in runs]
    )
    what = "import time of the core"
    yield _to_measurement(what, OURS, imported - bare, Goal(60))
    yield _to_measurement(what, "attrs and pluggy, which it needs", needed - bare)
    yield _to_measurement(what, f"{OURS}, with all that drives operations", everything - bare)
    with_plugin, without = measure_minimum(
        repeats, [_process_timer(_PYTEST), _process_timer((*_PYTEST, *_WITHOUT_PLUGIN))]
    )
    yield _to_measurement("start of pytest, by our plugin", OURS, with_plugin - without, Goal(20))
    what = "karbor-backup --help"
    yield _to_measurement(what, OURS, helped, Goal(150))
    yield _to_measurement(what, "python -c pass", bare)
    yield from _measure_packages("import time of the core, by package", _IMPORT_FOR_BACKEND)
    yield from _measure_packages("import time of karbor-backup --help, by package", _HELP)


def _process_timer(arguments: Sequence[str]) -> Callable[[], float]:
    def run() -> float:
        start = time.perf_counter()
        subprocess.run(  # noqa: S603 - it starts this Python
            [sys.executable, *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return time.perf_counter() - start

    return run


def _measure_packages(what: str, arguments: Sequence[str]) -> Iterator[Measurement]:
    command = [sys.executable, "-X", "importtime", *arguments]
    completed = subprocess.run(  # noqa: S603 - it starts this Python
        command, check=True, capture_output=True, text=True
    ).stderr
    packages: Counter[str] = Counter()
    for microseconds, module in _LINE.findall(completed):
        packages[module.partition(".")[0]] += int(microseconds)
    for package, microseconds in packages.most_common(_PACKAGES_SHOWN):
        yield _to_measurement(what, package, microseconds / 1e6)


def _to_measurement(
    what: str, subject: str, seconds: float, goal: Goal | None = None
) -> Measurement:
    return Measurement(what=what, subject=subject, value=seconds * 1e3, unit="ms", goal=goal)
