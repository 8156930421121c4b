"""Every fault at every kind of request of every operation: the right end, nothing doubled or left.

The requests of an operation are told apart by method and collection; a fault strikes the first of
each kind. All operations of a verb run at once.
"""

import concurrent.futures
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs
import pytest

from karbor_backup_core import Backup, Operation, Resource, Result, State, Verb
from sandbox import faults
from sandbox.faultproxy import FaultProxy

DIRECTORY = "Freezer::FileSystem::Directory"
AT_ONCE = 12

PASSING = [
    faults.status(401),
    faults.status(404),
    faults.status(409),
    faults.status(500),
    faults.status(503, retry_after=1),
    faults.hang(),
    faults.lost_reply(),
]
"""Faults that pass. A single 401 does: keystoneauth asks for a new token and repeats."""

FINAL = [faults.status(422), faults.html()]

REQUESTS = {
    Verb.PROTECT: [
        ("GET", "/clients$"),
        ("POST", "/jobs$"),
        ("GET", "/jobs"),
        ("GET", "/backups$"),
        ("DELETE", "/actions/"),
        ("DELETE", "/jobs/"),
    ],
    Verb.RESTORE: [("POST", "/jobs$"), ("GET", "/jobs"), ("DELETE", "/jobs/")],
    Verb.DELETE: [
        ("POST", "/jobs$"),
        ("GET", "/jobs"),
        ("DELETE", "/backups/"),
        ("DELETE", "/actions/"),
        ("DELETE", "/jobs/"),
    ],
    Verb.VERIFY: [("GET", "/backups/")],
}
"""The requests of each verb; where restores send what a protect or delete sends, once is enough."""


@attrs.frozen
class Case:
    method: str
    path: str
    fault: faults.Fault

    @property
    def polls(self) -> bool:
        """Whether it strikes a request that only looks: the next look is as good."""
        return self.method == "GET" and self.path in ("/jobs", "/backups$")

    @property
    def releases(self) -> bool:
        return self.method == "DELETE" and self.path != "/backups/"

    @property
    def fails(self) -> bool:
        return self.fault in FINAL and not self.polls and not self.releases

    def __str__(self) -> str:
        return f"{self.fault.name} at {self.method} {self.path}"


@attrs.frozen
class Work:
    """One operation, and the case that it is to meet."""

    case: Case
    verb: Verb
    target: Any
    options: Any


def _cases(verb: Verb) -> list[Case]:
    return [
        Case(method, path, fault) for method, path in REQUESTS[verb] for fault in (*PASSING, *FINAL)
    ]


def _strike(bench: Any, do: Any, work: Work) -> Operation:
    """Run one operation through a proxy that spoils one request of it."""
    case = work.case
    with FaultProxy(bench.sandbox.freezer_url) as proxy:
        proxy.plan(case.fault, method=case.method, path=case.path)
        runner = bench.runner(endpoint=proxy.url, timeout=8)
        target = work.target
        if isinstance(target, Backup):
            here = target.scope.replace(bench.sandbox.freezer_url, proxy.url)
            target = attrs.evolve(target, scope=here)
        operation: Operation = do.run(runner, work.verb, target, work.options)
        assert not proxy.unfired(), case
        return operation


def _judge(case: Case, operation: Operation) -> list[str]:
    """Check the end of an operation, and answer the ids that it names as left."""
    assert operation.state is State.RELEASED, (case, operation)
    outcome = operation.outcome
    assert outcome is not None
    expected = Result.FAILED if case.fails else Result.SUCCEEDED
    assert outcome.result is expected, (case, outcome)
    assert bool(outcome.reason) is case.fails
    assert "\n" not in outcome.reason
    left = [leftover.id for leftover in outcome.leftovers]
    assert bool(left) is (case.releases and case.fault in FINAL), (case, outcome)
    return left


def _sweep(bench: Any, do: Any, works: Sequence[Work]) -> tuple[list[Operation], list[str]]:
    """Run operations at once; answer how they ended, and the ids named as left."""
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        ended = list(pool.map(lambda work: _strike(bench, do, work), works))
    pairs = zip(works, ended, strict=True)
    return ended, [left for work, operation in pairs for left in _judge(work.case, operation)]


def _backups(bench: Any, ended: Sequence[Operation]) -> list[Backup]:
    scope = bench.backend().scope()
    made = [o.outcome.backup for o in ended if o.outcome is not None]
    return [attrs.evolve(backup, scope=scope) for backup in made if backup is not None]


@pytest.mark.timeout(900)
def test_no_fault_at_any_request_doubles_or_leaves_anything(bench: Any, do: Any) -> None:
    tree = Resource(DIRECTORY, str(bench.tree()))
    name = {"backup_name": "nightly"}
    protects = [Work(case, Verb.PROTECT, tree, name) for case in _cases(Verb.PROTECT)]
    ended, left = _sweep(bench, do, protects)
    backups = _backups(bench, ended)
    assert len(bench.left_in_freezer()["backups"]) == len(backups)

    verifies = [Work(case, Verb.VERIFY, backups[0], {}) for case in _cases(Verb.VERIFY)]
    restores = [
        Work(case, Verb.RESTORE, backups[0], _beside(bench, number))
        for number, case in enumerate(_cases(Verb.RESTORE))
    ]
    left += _sweep(bench, do, [*verifies, *restores])[1]
    for work in restores:
        assert _restored(work) is not work.case.fails

    deletes = [
        Work(case, Verb.DELETE, backup, {})
        for case, backup in zip(_cases(Verb.DELETE), backups, strict=False)
    ]
    assert len(deletes) == len(_cases(Verb.DELETE))
    ended, named = _sweep(bench, do, deletes)
    runner = bench.runner()
    rest = [o.backup for o in ended if o.outcome.result is not Result.SUCCEEDED]
    rest = [*backups[len(deletes) :], *(attrs.evolve(b, scope=backups[0].scope) for b in rest)]
    for operation in [runner.begin("freezer", Verb.DELETE, backup, {}) for backup in rest]:
        do.succeeded(do.finish(runner, operation))

    still = {entry for entries in bench.left_in_freezer().values() for entry in entries}
    assert still <= {*left, *named}
    assert bench.left_on_disk() == []


def _beside(bench: Any, number: int) -> dict[str, Any]:
    return {"restore_name": "copy", "restore_path": str(bench.folder / f"copy-{number}")}


def _restored(work: Work) -> bool:
    return (Path(work.options["restore_path"]) / "file").exists()
