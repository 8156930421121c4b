"""Rules about threads and sockets: what a backend takes of the process that it lives in."""

import gc
import os
import stat
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from karbor_backup_contract import _process_state as process_state
from karbor_backup_contract._assertions import require, require_success
from karbor_backup_contract._cleanup import clean_up
from karbor_backup_contract._context import CALLS_LIMIT, RuleContext
from karbor_backup_contract._registry import rule
from karbor_backup_contract._scenarios import (
    check_verbs_on_many,
    run_lifecycle,
    use_up_fault,
    verb_targets,
)
from karbor_backup_contract._sleep_meter import SleepMeter
from karbor_backup_contract.harness import Fault
from karbor_backup_core import Backup, Call, Operation, Resource, Verb, next_call

_FAULTS: Final = (Fault.BUSY, Fault.REFUSE)
_MAX_WAITS: Final = 20
_THREADS: Final = 8
_SLEEP_LIMIT: Final = 1.0
"""Seconds in one call of a hook, which are too many if they come twice."""
_SWITCH_INTERVAL: Final = 1e-6


@rule(
    "C-921",
    "A backend object that is gone has left no thread.",
    "Workers that are forked and reloaded would gather them.",
)
def no_thread_is_left(context: RuleContext) -> None:
    """Live a life with an object of its own, let go of it, and count."""
    before = set(threading.enumerate())
    _run_separate_lifecycle(context)
    left = _wait_until_gone(
        context, lambda: {t.name for t in threading.enumerate() if t not in before}
    )
    require(not left, f"threads left: {', '.join(sorted(left))}")


@rule(
    "C-922",
    "A backend object that is gone has left no socket open.",
    "A process has a thousand of them or so, and a service fewer.",
)
def no_socket_is_left(context: RuleContext) -> None:
    """Live a life with an object of its own, let go of it, and count."""
    before = _list_sockets()
    _run_separate_lifecycle(context)
    left = _wait_until_gone(context, lambda: _list_sockets() - before)
    require(not left, f"sockets left open: {len(left)}")


@rule(
    "C-923",
    "Verbs may be called from several threads at once.",
    "The runner does; a backend object is shared by its threads.",
)
def concurrent_calls_are_safe(context: RuleContext) -> None:
    """Make each call of each verb from several threads, on resources of their own."""

    def run(verb: Verb, targets: Sequence[Resource | Backup]) -> list[Operation]:
        before = context.inventory().bookkeeping
        operations = [context.record_submission(verb, target) for target in targets]
        ended = [require_success(each) for each in _finish_at_once(context, operations)]
        left = context.inventory().bookkeeping - before
        require(not left, f"left after {verb}s in several threads: {', '.join(sorted(left))}")
        return ended

    check_verbs_on_many(context, _THREADS, run)


@rule(
    "C-924",
    "The process is as it was: working directory, environment, umask, signal handlers, locale, "
    "open files, child processes, temporary files.",
    "They belong to the program that a backend is loaded into.",
)
def process_is_unchanged(context: RuleContext) -> None:
    """Live a life with an object of its own, let go of it, and compare."""
    run_lifecycle(context, context.type_supporting(Verb.PROTECT, Verb.RESTORE))  # imports, caches
    with process_state.separate_temporary_directory():
        before = process_state.read()
        _run_separate_lifecycle(context)
        left = _wait_until_gone(context, lambda: process_state.differences(before))
    require(not left, f"changed in the process: {', '.join(sorted(left))}")


@rule(
    "C-925",
    "A hook does not sleep: it returns when the service has answered its requests.",
    "A thread that sleeps drives no other operation, and the core knows when to look again.",
    since="1.1",
)
def hooks_do_not_sleep(context: RuleContext) -> None:
    """Measure in two lives for how long hooks sleep; once they may wait for another thread."""
    meter = SleepMeter()
    context.start_observed_process(meter)
    kind = context.type_supporting(Verb.PROTECT)
    for _ in range(2):
        context.process.backend.health()
        for verb, target in verb_targets(context, kind):
            context.run(verb, target)
    for hook, seconds in meter.slept.items():
        second = sorted(seconds)[-2:][0]
        require(second < _SLEEP_LIMIT, f"{hook} sleeps for {second:.1f} s")


def _finish_at_once(context: RuleContext, operations: list[Operation]) -> list[Operation]:
    """Drive operations to their ends, each call of a verb or release for all at the same time."""
    for _ in range(CALLS_LIMIT):
        calls = [(each, next_call(each, context.clock())) for each in operations]
        due = [each for each, call in calls if call in (Call.VERB, Call.RELEASE)]
        polled = [each for each, call in calls if call is Call.POLL]
        rest = [each for each, call in calls if call not in (Call.VERB, Call.RELEASE, Call.POLL)]
        if not due and not polled:
            break
        stepped = _step_at_once(context, due) if due else []
        operations = [*stepped, *(context.poll(polled) if polled else ()), *rest]
        if any(next_call(each, context.clock()) is Call.RELEASE for each in stepped):
            context.wait()  # The service is at it; it needs its time.
    return [context.finish(each) for each in operations]


def _step_at_once(context: RuleContext, planned: list[Operation]) -> list[Operation]:
    """Make the next call of each operation, all at the same time in threads of their own."""
    start = threading.Barrier(len(planned))
    process = context.process

    def step(operation: Operation) -> Operation:
        start.wait()
        return process.driver.step(operation)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_INTERVAL)
    try:
        with ThreadPoolExecutor(len(planned)) as pool:
            return list(pool.map(step, planned))
    finally:
        sys.setswitchinterval(interval)


def _run_separate_lifecycle(context: RuleContext) -> None:
    """Live a life with an object of its own: also what is refused or cancelled."""
    inner = RuleContext(context.harness)
    kind = inner.type_supporting(Verb.PROTECT, Verb.RESTORE, Verb.DELETE)
    run_lifecycle(inner, kind)
    resource = inner.create_resource(kind)
    for fault in _FAULTS:
        if fault in inner.harness.faults:
            inner.inject_fault(fault)
            inner.run(Verb.PROTECT, resource)
            inner.absorb_fault()
    if Fault.STALL in inner.harness.faults:
        inner.inject_fault(Fault.STALL)
    inner.finish(inner.cancel(inner.start(Verb.PROTECT, resource)))
    use_up_fault(inner, resource)
    clean_up(inner)


def _wait_until_gone(context: RuleContext, count: Callable[[], set[str]]) -> set[str]:
    """Count until nothing is left, or for a while: what ends needs its time."""
    for _ in range(_MAX_WAITS):
        gc.collect()
        left = count()
        if not left:
            break
        context.wait()
    return left


def _list_sockets() -> set[str]:
    found = set()
    for entry in Path("/dev/fd").iterdir():
        try:
            status = os.fstat(int(entry.name))
        except OSError:
            continue  # the descriptor of the listing itself
        if stat.S_ISSOCK(status.st_mode):
            found.add(f"{status.st_dev}:{status.st_ino}")
    return found
