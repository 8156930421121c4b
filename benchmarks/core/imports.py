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

from benchmarks.core.world import best_of
from benchmarks.measurement import OURS, Goal, Measurement
from benchmarks.workbench import Workbench

_IMPORT: Final = (
    "-c",
    "from karbor_backup_core import BackendInfo, Operation, Progress, Transient, hookimpl",
)
_ALL: Final = ("-c", "from karbor_backup_core import *")
_NEEDED: Final = ("-c", "import attrs, pluggy")
_HELP: Final = ("-m", "karbor_backup_core.cli", "--help")
_PYTEST: Final = ("-m", "pytest", "--version", "--version", "-p", "no:cacheprovider")
_WITHOUT: Final = ("-p", "no:karbor_backup_contract")
_LINE: Final = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)")
_PARTS: Final = 12


def measure(workbench: Workbench) -> Iterator[Measurement]:
    """Measure whole processes, then their parts."""
    runs = [("-c", "pass"), _NEEDED, _IMPORT, _ALL, _HELP]
    repeats = workbench.pick(20, 5)
    bare, needed, imported, everything, helped = best_of(repeats, [_process(run) for run in runs])
    what = "import time of the core"
    yield _measurement(what, OURS, imported - bare, Goal(60))
    yield _measurement(what, "attrs and pluggy, which it needs", needed - bare)
    yield _measurement(what, f"{OURS}, with all that drives operations", everything - bare)
    with_plugin, without = best_of(repeats, [_process(_PYTEST), _process((*_PYTEST, *_WITHOUT))])
    yield _measurement("start of pytest, by our plugin", OURS, with_plugin - without, Goal(20))
    what = "karbor-backup --help"
    yield _measurement(what, OURS, helped, Goal(150))
    yield _measurement(what, "python -c pass", bare)
    yield from _parts("import time of the core, by package", _IMPORT)
    yield from _parts("import time of karbor-backup --help, by package", _HELP)


def _process(arguments: Sequence[str]) -> Callable[[], float]:
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


def _parts(what: str, arguments: Sequence[str]) -> Iterator[Measurement]:
    command = [sys.executable, "-X", "importtime", *arguments]
    told = subprocess.run(  # noqa: S603 - it starts this Python
        command, check=True, capture_output=True, text=True
    ).stderr
    packages: Counter[str] = Counter()
    for microseconds, module in _LINE.findall(told):
        packages[module.partition(".")[0]] += int(microseconds)
    for package, microseconds in packages.most_common(_PARTS):
        yield _measurement(what, package, microseconds / 1e6)


def _measurement(what: str, subject: str, seconds: float, goal: Goal | None = None) -> Measurement:
    return Measurement(what=what, subject=subject, value=seconds * 1e3, unit="ms", goal=goal)
