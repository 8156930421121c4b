"""The main job, cancels and deletes with the scheduler, agent and API of earlier releases.

Each docstring is a cell of the table in ``docs/reference/freezer-support.md``.
"""

import shutil
import time
from collections.abc import Iterator
from typing import Any

import attrs
import pytest

from karbor_backup_contract import Harness, Inventory, RuleStatus, all_rules, run_rule
from karbor_backup_core import OperationFuture, Resource, Result, Runner, State, Verb
from karbor_backup_freezer import FreezerBackend
from karbor_backup_freezer.api.jobs import Job, JobState
from karbor_backup_freezer.model.ids import job_id
from tests.e2e.freezer.harness import (
    DIRECTORY,
    assert_succeeded,
    protect_directory,
    run_operation,
    wait_finished,
)
from tests.e2e.releases.conftest import ReleaseHarness
from tests.support.outcomes import get_outcome

RULES = {rule.id: rule for rule in all_rules()}
LIVE = ("C-203", "C-204", "C-205", "C-206", "C-404")
"""The rules that are tried with the newest scheduler and agent, see tests/e2e/contract."""


def _wait_for_job_state(
    harness: ReleaseHarness, operation: OperationFuture, state: JobState
) -> None:
    client = harness.client()
    end = time.monotonic() + 120
    while time.monotonic() < end:
        document = client.get_job(job_id(operation.id))
        if document is not None and Job.from_document(document).state is state:
            return
        time.sleep(0.05)
    raise AssertionError(f"the job never was {state}")


def _begin(harness: ReleaseHarness, runner: Runner, content: bytes) -> OperationFuture:
    tree = harness.tree(content=content)
    return runner.protect("freezer", Resource(DIRECTORY, str(tree)), {"backup_name": "nightly"})


def test_directory_is_restored_and_deleted_without_a_trace(
    clean_harness: ReleaseHarness, pair: Any
) -> None:
    """A directory: protected, lost, restored byte for byte, verified, deleted without a trace."""
    tree = clean_harness.tree(content=bytes(range(256)) * 64)
    runner = clean_harness.runner()
    backup = protect_directory(runner, tree)
    assert backup.handle["agent_version"] == pair.release.version
    shutil.rmtree(tree)
    assert_succeeded(run_operation(runner, Verb.RESTORE, backup, {"restore_name": "data"}))
    assert (tree / "file").read_bytes() == bytes(range(256)) * 64
    verified = run_operation(runner, Verb.VERIFY, backup)
    assert_succeeded(verified)
    assert {c.name: c.verified for c in get_outcome(verified).checks}["stored data"]
    assert_succeeded(run_operation(runner, Verb.DELETE, backup))


def test_delete_removes_one_of_two_backups(clean_harness: ReleaseHarness) -> None:
    """One of two backups of a directory deleted, the other restored."""
    runner = clean_harness.runner()
    tree = clean_harness.tree(content=b"old")
    older = protect_directory(runner, tree)
    (tree / "file").write_bytes(b"new")
    newer = protect_directory(runner, tree)
    assert_succeeded(run_operation(runner, Verb.DELETE, older))
    options = {"restore_name": "data", "overwrite": True}
    assert_succeeded(run_operation(runner, Verb.RESTORE, newer, options))
    assert (tree / "file").read_bytes() == b"new"
    assert_succeeded(run_operation(runner, Verb.DELETE, newer))


def test_cancel_before_the_agent_starts_leaves_nothing(clean_harness: ReleaseHarness) -> None:
    """A protect cancelled before its agent runs: nothing is stored."""
    runner = clean_harness.runner()
    begun = _begin(clean_harness, runner, b"content")
    _wait_for_job_state(clean_harness, begun, JobState.WAITING)
    runner.cancel(begun.id)
    ended = wait_finished(runner, begun)
    assert (ended.state, get_outcome(ended).result) == (State.RELEASED, Result.CANCELLED)
    assert get_outcome(ended).leftovers == ()


def test_cancel_of_a_running_agent_leaves_nothing(clean_harness: ReleaseHarness) -> None:
    """A protect cancelled while its agent runs: what it stored is removed."""
    runner = clean_harness.runner()
    begun = _begin(clean_harness, runner, b"x" * 30_000_000)
    _wait_for_job_state(clean_harness, begun, JobState.RUNNING)
    runner.cancel(begun.id)
    ended = wait_finished(runner, begun)
    assert (ended.state, get_outcome(ended).result) == (State.RELEASED, Result.CANCELLED)
    assert get_outcome(ended).leftovers == ()


@pytest.fixture
def contract_harness(harness: ReleaseHarness) -> Iterator[Harness]:
    with FreezerBackend.contract_harness(harness.configuration()) as live:

        def inventory() -> Inventory:
            assert live.inventory is not None
            kept = live.inventory()
            stored = (
                str(path) for path in harness.storage.glob("contract-*/**/*") if not path.is_dir()
            )
            return attrs.evolve(kept, data={*kept.data, *stored})

        yield attrs.evolve(live, inventory=inventory)


@pytest.mark.parametrize("rule", LIVE)
def test_contract_rules_hold(contract_harness: Harness, rule: str) -> None:
    """The contract's rules C-203, C-204, C-205, C-206 and C-404."""
    verdict = run_rule(RULES[rule], contract_harness, cleanup=True)
    assert verdict.status is RuleStatus.PASSED, verdict.reason
