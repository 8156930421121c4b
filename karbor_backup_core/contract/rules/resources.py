"""Rules about threads and sockets: what a backend takes of the process that it lives in."""

import gc
import os
import stat
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from karbor_backup_core.contract.expectations import require, succeeded
from karbor_backup_core.contract.lives import life
from karbor_backup_core.contract.registry import rule
from karbor_backup_core.contract.tidying import tidy
from karbor_backup_core.contract.trial import Trial
from karbor_backup_core.model import Verb

_PATIENCE: Final = 20
_THREADS: Final = 8
_OFTEN: Final = 1e-6


@rule(
    "C-921",
    "A backend object that is gone has left no thread.",
    "Workers that are forked and reloaded would gather them.",
)
def no_thread_is_left(trial: Trial) -> None:
    """Live a life with an object of its own, let go of it, and count."""
    before = set(threading.enumerate())
    _live_and_die(trial)
    left = _left(trial, lambda: {t.name for t in threading.enumerate() if t not in before})
    require(not left, f"threads left: {', '.join(sorted(left))}")


@rule(
    "C-922",
    "A backend object that is gone has left no socket open.",
    "A process has a thousand of them or so, and a service fewer.",
)
def no_socket_is_left(trial: Trial) -> None:
    """Live a life with an object of its own, let go of it, and count."""
    before = _sockets()
    _live_and_die(trial)
    left = _left(trial, lambda: _sockets() - before)
    require(not left, f"sockets left open: {len(left)}")


@rule(
    "C-923",
    "Verbs may be called from several threads at once.",
    "The runner does; a backend object is shared by its threads.",
)
def threads_may_share(trial: Trial) -> None:
    """Begin protects from several threads, and see each to its end."""
    resource = trial.make(trial.kind(Verb.PROTECT))
    planned = [trial.submitting(Verb.PROTECT, resource) for _ in range(_THREADS)]
    start = threading.Barrier(_THREADS)

    def begin(number: int) -> None:
        start.wait()
        planned[number] = trial.process.driver.step(planned[number])

    interval = sys.getswitchinterval()
    sys.setswitchinterval(_OFTEN)
    try:
        with ThreadPoolExecutor(_THREADS) as pool:
            list(pool.map(begin, range(_THREADS)))
    finally:
        sys.setswitchinterval(interval)
    for operation in planned:
        succeeded(trial.finish(operation))


def _live_and_die(trial: Trial) -> None:
    inner = Trial(trial.bench)
    life(inner, inner.kind(Verb.PROTECT, Verb.RESTORE, Verb.DELETE))
    tidy(inner)


def _left(trial: Trial, count: Callable[[], set[str]]) -> set[str]:
    """Count until nothing is left, or for a while: what ends needs its time."""
    for _ in range(_PATIENCE):
        gc.collect()
        left = count()
        if not left:
            break
        trial.wait()
    return left


def _sockets() -> set[str]:
    found = set()
    for entry in Path("/dev/fd").iterdir():
        try:
            status = os.fstat(int(entry.name))
        except OSError:
            continue  # the descriptor of the listing itself
        if stat.S_ISSOCK(status.st_mode):
            found.add(f"{status.st_dev}:{status.st_ino}")
    return found
