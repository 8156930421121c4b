"""Every fault at every kind of request of every operation: the right end, nothing doubled or left.

The requests of an operation are told apart by method and collection; a fault strikes the first of
each kind. All operations of a verb run at once. A fault that passes strikes every request of one
operation, so that one operation meets it as often as it can.
"""

import concurrent.futures
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import pytest

from karbor_backup_core import Backup, Operation, Resource, Result, State, Verb
from tests.e2e.freezer.harness import FreezerHarness, assert_succeeded, run_operation, wait_finished
from tests.support import http_faults
from tests.support.fault_proxy import FaultProxy

DIRECTORY = "Freezer::FileSystem::Directory"
AT_ONCE = 12

PASSING = [
    http_faults.error_response(401),
    http_faults.error_response(404),
    http_faults.error_response(409),
    http_faults.error_response(500),
    http_faults.error_response(503, retry_after=1),
    http_faults.no_response(),
    http_faults.lost_reply(),
]
"""Faults that pass. A single 401 does: keystoneauth asks for a new token and repeats."""

FINAL = [http_faults.error_response(422), http_faults.html_page()]

Request: TypeAlias = tuple[str, str]

BEGINNING: dict[Verb, list[Request]] = {
    Verb.PROTECT: [("GET", "/clients$"), ("POST", "/jobs$")],
    Verb.RESTORE: [("POST", "/jobs$")],
    Verb.DELETE: [("POST", "/jobs$"), ("DELETE", "/backups/")],
    Verb.VERIFY: [("GET", "/backups/")],
}
"""The requests that a verb's hook sends: a fault that does not pass ends the operation."""

LOOKING: dict[Verb, list[Request]] = {
    Verb.PROTECT: [("GET", "/jobs"), ("GET", "/backups$")],
    Verb.RESTORE: [("GET", "/jobs")],
    Verb.DELETE: [("GET", "/jobs")],
    Verb.VERIFY: [],
}
"""The requests of polls: the next look is as good."""

CLEANING: dict[Verb, list[Request]] = {
    verb: [] if verb is Verb.VERIFY else [("DELETE", "/actions/"), ("DELETE", "/jobs/")]
    for verb in Verb
}
"""The requests of a release: what is refused is left, and named."""


@attrs.frozen
class FaultCase:
    """A fault at the first request of each of these kinds.

    Attributes:
        verb: the verb of the operation.
        fault: what happens.
        requests: where it happens.
        fails: whether the operation can only fail.
        leaves: whether something can only be left.
    """

    verb: Verb
    fault: http_faults.HttpFault
    requests: list[Request]
    fails: bool = False
    leaves: bool = False


def _list_cases(verb: Verb) -> list[FaultCase]:
    """Faults that pass strike all requests of one operation, others what they do not prevent."""
    after = [*LOOKING[verb], *CLEANING[verb]]
    passing = [FaultCase(verb, fault, [*BEGINNING[verb], *after]) for fault in PASSING]
    final = [FaultCase(verb, f, [where], fails=True) for f in FINAL for where in BEGINNING[verb]]
    leaving = [FaultCase(verb, fault, after, leaves=True) for fault in FINAL if after]
    return [*passing, *final, *leaving]


@attrs.frozen
class PlannedOperation:
    """One operation, and the case that it is to meet."""

    case: FaultCase
    target: Any
    options: dict[str, Any]


def _run_with_fault(harness: FreezerHarness, work: PlannedOperation) -> Operation:
    """Run one operation through a proxy that spoils one request of it."""
    case = work.case
    with FaultProxy(harness.sandbox.freezer_url) as proxy:
        for method, path in case.requests:
            proxy.plan(case.fault, method=method, path=path)
        same: dict[str, Any] = (
            {"same_as": [work.target.scope]} if isinstance(work.target, Backup) else {}
        )
        timeout = 3 if case.fault.hangs else 20
        runner = harness.runner(endpoint=proxy.url, timeout=timeout, **same)
        operation: Operation = run_operation(runner, case.verb, work.target, work.options)
        runner.close()
        assert not proxy.unfired(), case
        return operation


def _check_end(case: FaultCase, operation: Operation) -> list[str]:
    """Check the end of an operation, and answer the ids that it names as left."""
    assert operation.state is State.RELEASED, (case, operation)
    outcome = operation.outcome
    assert outcome is not None
    expected = Result.FAILED if case.fails else Result.SUCCEEDED
    assert outcome.result is expected, (case, outcome)
    assert bool(outcome.reason) is case.fails
    assert "\n" not in outcome.reason
    left = [leftover.id for leftover in outcome.leftovers]
    assert bool(left) is case.leaves, (case, outcome)
    return left


def _run_all(
    harness: FreezerHarness, works: Sequence[PlannedOperation]
) -> tuple[list[Operation], list[str]]:
    """Run operations at once; answer how they ended, and the ids named as left."""
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        ended = list(pool.map(lambda work: _run_with_fault(harness, work), works))
    pairs = zip(works, ended, strict=True)
    return ended, [left for work, operation in pairs for left in _check_end(work.case, operation)]


def _make_backups(harness: FreezerHarness, ended: Sequence[Operation]) -> list[Backup]:
    scope = harness.backend().scope()
    backups = [o.outcome.backup for o in ended if o.outcome is not None]
    return [attrs.evolve(backup, scope=scope) for backup in backups if backup is not None]


@pytest.mark.timeout(600)
def test_fault_at_any_request_duplicates_and_leaves_nothing(harness: FreezerHarness) -> None:
    tree, name = Resource(DIRECTORY, str(harness.tree())), {"backup_name": "nightly"}
    ended, left = _run_all(
        harness, [PlannedOperation(case, tree, name) for case in _list_cases(Verb.PROTECT)]
    )
    backups = _make_backups(harness, ended)
    assert len(harness.left_in_freezer()["backups"]) == len(backups)

    deletes = _list_cases(Verb.DELETE)
    backups += _make_more_backups(harness, len(deletes) + 1 - len(backups))
    kept, *doomed = backups
    restores = [
        PlannedOperation(c, kept, _beside(harness, n))
        for n, c in enumerate(_list_cases(Verb.RESTORE))
    ]
    works = [
        *(PlannedOperation(case, kept, {}) for case in _list_cases(Verb.VERIFY)),
        *restores,
        *(PlannedOperation(case, backup, {}) for case, backup in zip(deletes, doomed, strict=True)),
    ]
    left += _run_all(harness, works)[1]
    for work in restores:
        assert _restored(work) is not work.case.fails

    runner = harness.runner()
    rest = [kept, *(b for b, case in zip(doomed, deletes, strict=True) if case.fails)]
    for operation in [runner.delete("freezer", backup, {}) for backup in rest]:
        assert_succeeded(wait_finished(runner, operation))
    still = {entry for entries in harness.left_in_freezer().values() for entry in entries}
    assert still <= set(left)
    assert harness.left_on_disk() == []


def _make_more_backups(harness: FreezerHarness, count: int) -> list[Backup]:
    runner = harness.runner()
    tree, name = Resource(DIRECTORY, str(harness.tree())), {"backup_name": "nightly"}
    begun = [runner.protect("freezer", tree, name) for _ in range(count)]
    return _make_backups(harness, [wait_finished(runner, operation) for operation in begun])


def _beside(harness: FreezerHarness, number: int) -> dict[str, Any]:
    return {"restore_name": "copy", "restore_path": str(harness.folder / f"copy-{number}")}


def _restored(work: PlannedOperation) -> bool:
    return (Path(work.options["restore_path"]) / "file").exists()
