"""The main job, cancels and deletes with the scheduler, agent and API of earlier releases.

Each docstring is a cell of the table in ``docs/freezer.md``.
"""

import shutil
import time
from collections.abc import Iterator
from typing import Any

import attrs
import pytest

from karbor_backup_core import Operation, Resource, Result, State, Verb
from karbor_backup_core.contract import Bench, Holdings, Status, all_rules, judge
from karbor_backup_freezer import FreezerBackend
from karbor_backup_freezer.identifiers import job_id
from karbor_backup_freezer.jobs import Job, Stage
from tests.e2e.freezer.conftest import DIRECTORY, finish, protect, run, succeeded

RULES = {rule.id: rule for rule in all_rules()}
LIVE = ("C-203", "C-204", "C-205", "C-206", "C-404")
"""The rules that are tried with the newest scheduler and agent, see tests/e2e/contract."""


def _await_stage(bench: Any, operation: Operation, stage: Stage) -> None:
    client = bench.client()
    end = time.monotonic() + 120
    while time.monotonic() < end:
        document = client.job(job_id(operation.id))
        if document is not None and Job.read(document).stage is stage:
            return
        time.sleep(0.05)
    raise AssertionError(f"the job never was {stage}")


def _begin(bench: Any, runner: Any, content: bytes) -> Operation:
    tree = bench.tree(content=content)
    operation: Operation = runner.begin(
        "freezer", Verb.PROTECT, Resource(DIRECTORY, str(tree)), {"backup_name": "nightly"}
    )
    return operation


def test_directory_is_restored_and_deleted_without_a_trace(spotless: Any, pair: Any) -> None:
    """A directory: protected, lost, restored byte for byte, verified, deleted without a trace."""
    tree = spotless.tree(content=bytes(range(256)) * 64)
    runner = spotless.runner()
    backup = protect(runner, tree)
    assert backup.handle["agent_version"] == pair.release.version
    shutil.rmtree(tree)
    succeeded(run(runner, Verb.RESTORE, backup, {"restore_name": "data"}))
    assert (tree / "file").read_bytes() == bytes(range(256)) * 64
    verified = run(runner, Verb.VERIFY, backup)
    succeeded(verified)
    assert {c.name: c.verified for c in verified.outcome.checks}["stored data"]
    succeeded(run(runner, Verb.DELETE, backup))


def test_delete_removes_one_of_two_backups(spotless: Any) -> None:
    """One of two backups of a directory deleted, the other restored."""
    runner = spotless.runner()
    tree = spotless.tree(content=b"old")
    older = protect(runner, tree)
    (tree / "file").write_bytes(b"new")
    newer = protect(runner, tree)
    succeeded(run(runner, Verb.DELETE, older))
    options = {"restore_name": "data", "overwrite": True}
    succeeded(run(runner, Verb.RESTORE, newer, options))
    assert (tree / "file").read_bytes() == b"new"
    succeeded(run(runner, Verb.DELETE, newer))


def test_cancel_before_the_agent_runs(spotless: Any) -> None:
    """A protect cancelled before its agent runs: nothing is stored."""
    runner = spotless.runner()
    begun = _begin(spotless, runner, b"content")
    _await_stage(spotless, begun, Stage.WAITING)
    runner.cancel(begun.id)
    ended = finish(runner, begun)
    assert (ended.state, ended.outcome.result) == (State.RELEASED, Result.CANCELLED)
    assert ended.outcome.leftovers == ()


def test_cancel_while_the_agent_runs(spotless: Any) -> None:
    """A protect cancelled while its agent runs: what it stored is removed."""
    runner = spotless.runner()
    begun = _begin(spotless, runner, b"x" * 30_000_000)
    _await_stage(spotless, begun, Stage.RUNNING)
    runner.cancel(begun.id)
    ended = finish(runner, begun)
    assert (ended.state, ended.outcome.result) == (State.RELEASED, Result.CANCELLED)
    assert ended.outcome.leftovers == ()


@pytest.fixture
def contract_bench(bench: Any) -> Iterator[Bench]:
    with FreezerBackend.contract_bench(bench.configuration()) as live:

        def holdings() -> Holdings:
            assert live.holdings is not None
            kept = live.holdings()
            stored = (
                str(path) for path in bench.storage.glob("contract-*/**/*") if not path.is_dir()
            )
            return attrs.evolve(kept, data={*kept.data, *stored})

        yield attrs.evolve(live, holdings=holdings)


@pytest.mark.parametrize("rule", LIVE)
def test_contract(contract_bench: Bench, rule: str) -> None:
    """The contract's rules C-203, C-204, C-205, C-206 and C-404."""
    verdict = judge(RULES[rule], contract_bench, tidy=True)
    assert verdict.status is Status.PASSED, verdict.reason
