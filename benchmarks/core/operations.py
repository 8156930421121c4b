"""Time per operation, from request to released.

Protects of volumes in the fake cloud, whose jobs take no time, through `Runner` with its eight
threads: planned, validated, stored, begun, ended with a backup, released. *All at once*: the time
from the first request to the last release, divided by their number, asked for by one thread and by
four. *One by one*: each begins when the one before it has been released.

Beside it what each store cannot be without: the fake backend's own two hooks, called as plain
methods; and plain `sqlite3` that makes as many durable commits (`synchronous = FULL`) as an
operation has writes, one after the other, on the same disk. Writes that come from several threads
share commits, so ours can be below that; a request is durable when it returns, so one thread that
asks for many waits for a commit each time.
"""

import itertools
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Final

import attrs

from benchmarks.context import BenchmarkContext
from benchmarks.core.fake_operations import (
    NAME,
    OPTIONS,
    Stopwatch,
    make_backend,
    make_submitting_protect,
    make_volumes,
    measure_minimum,
    protect_concurrently,
    protect_sequentially,
)
from benchmarks.measurement import OURS, Goal, Measurement, Parameter
from karbor_backup_core import Backend, MemoryStore, State, Store
from karbor_backup_core._lifecycle.outcomes import build_outcome
from karbor_backup_core.stores.sql import SQLStore
from karbor_backup_fake import FakeCloud

MEMORY: Final = f"{OURS}, memory store"
SQLITE: Final = f"{OURS}, SQLite"
HOOKS: Final = "the fake's hooks alone"
COMMITS: Final = "plain sqlite3, a commit for each write"

_WRITES: Final = 4
"""planned, submitting, releasing (with the outcome), released"""

_CALLERS: Final = 4
_TIME: Final = "time per operation"


def measure(context: BenchmarkContext) -> Iterator[Measurement]:
    """Measure both stores, and what they cannot be without."""
    repeats = context.choose(5, 3)
    files = (context.scratch / f"operations-{number}.db" for number in itertools.count())
    count, row = context.choose(2000, 500), context.choose(300, 100)
    for callers in (1, _CALLERS):
        protect = partial(protect_concurrently, count=count, callers=callers)
        subjects = _build_subjects(protect, files, partial(_time_hooks, count), row)
        parameters = {"begun": "all at once", "asking threads": callers}
        goals = {MEMORY: Goal(150)} if callers == 1 else {SQLITE: Goal(1000)}
        yield from _measure_subjects(_TIME, subjects, repeats, parameters, goals)
    protect = partial(protect_concurrently, count=count, callers=1, stopwatch=time.process_time)
    hooks = partial(_time_hooks, count, time.process_time)
    parameters = {"begun": "all at once", "asking threads": 1}
    yield from _measure_subjects(
        "processor time per operation",
        {
            MEMORY: partial(_run_in_memory, protect),
            SQLITE: partial(_run_on_file, files, protect),
            HOOKS: hooks,
        },
        repeats,
        parameters,
    )
    subjects = _build_subjects(
        partial(protect_sequentially, count=row), files, partial(_time_hooks, row), row
    )
    yield from _measure_subjects(
        _TIME, subjects, repeats, {"begun": "one by one", "asking threads": 1}
    )


def _build_subjects(
    protect: Callable[[Store], float], files: Iterator[Path], hooks: Callable[[], float], row: int
) -> dict[str, Callable[[], float]]:
    return {
        MEMORY: partial(_run_in_memory, protect),
        SQLITE: partial(_run_on_file, files, protect),
        HOOKS: hooks,
        COMMITS: partial(_time_commits, files, row),
    }


def _measure_subjects(
    what: str,
    subjects: Mapping[str, Callable[[], float]],
    repeats: int,
    parameters: Mapping[str, Parameter],
    goals: Mapping[str, Goal] | None = None,
) -> Iterator[Measurement]:
    for subject, seconds in zip(
        subjects, measure_minimum(repeats, [*subjects.values()]), strict=True
    ):
        yield Measurement(
            what=what,
            subject=subject,
            value=seconds * 1e6,
            unit="µs",
            parameters=parameters,
            goal=(goals or {}).get(subject),
        )


def _run_in_memory(run: Callable[[Store], float]) -> float:
    return run(MemoryStore())


def _run_on_file(files: Iterator[Path], run: Callable[[Store], float]) -> float:
    store = SQLStore(f"sqlite:///{next(files)}")
    try:
        return run(store)
    finally:
        store.close()


def _time_hooks(count: int, stopwatch: Stopwatch = time.perf_counter) -> float:
    """Call the two hooks that an operation needs, as methods."""
    resources = make_volumes(count)
    plugin = make_backend(FakeCloud(), resources)
    backend = Backend.from_plugin(NAME, plugin)
    operations = [make_submitting_protect(backend, each) for each in resources]
    start = stopwatch()
    answers = [plugin.protect(operation) for operation in operations]
    seconds = stopwatch() - start
    ended = [
        attrs.evolve(
            each, state=State.RELEASING, outcome=build_outcome(each, answer, each.created_at)
        )
        for each, answer in zip(operations, answers, strict=True)
    ]
    start = stopwatch()
    for operation in ended:
        plugin.release(operation)
    return (seconds + stopwatch() - start) / count


def _time_commits(files: Iterator[Path], count: int) -> float:
    """Write rows of an operation's size, each durable before the next."""
    document = str(OPTIONS).ljust(1200)
    with sqlite3.connect(next(files), isolation_level=None) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE operations (id INTEGER PRIMARY KEY, document TEXT)")
        start = time.perf_counter()
        for number in range(count):
            for _ in range(_WRITES):
                connection.execute("REPLACE INTO operations VALUES (?, ?)", (number, document))
        seconds = time.perf_counter() - start
    connection.close()
    return seconds / count
