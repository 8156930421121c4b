"""Freezer's kind of forgetting: somebody deletes the job of a protect whose agent runs.

The contract's rule C-607 asks that all be removed then. Freezer cannot keep it: the agent goes on,
and nobody is told when it ends. What can be done is to say so.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from karbor_backup_core import Result, State, Verb
from karbor_backup_core.contract import Bench
from karbor_backup_core.contract.trial import Trial
from karbor_backup_freezer.identifiers import job_id
from karbor_backup_freezer.resources import DIRECTORY
from tests.e2e.contract.scripted import Place, Sessions, Stage, scripted_bench


@pytest.fixture
def bench(stage: Stage, sessions: Sessions, tmp_path: Path) -> Iterator[Bench]:
    with scripted_bench(Place(stage, tmp_path, storage="disk"), sessions) as bench:
        yield bench


def test_what_an_orphaned_agent_may_leave_is_named(bench: Bench) -> None:
    trial = Trial(bench)
    operation = trial.advance(trial.running(Verb.PROTECT, trial.make(DIRECTORY)))
    before = trial.holdings().data
    bench.backend()._client.delete("jobs", job_id(operation.id))
    ended = trial.finish(operation)
    assert ended.state is State.RELEASED
    assert ended.outcome is not None
    assert ended.outcome.result is Result.FAILED
    assert trial.holdings().bookkeeping == frozenset()
    left = trial.holdings().data - before
    (leftover,) = ended.outcome.leftovers
    assert any(leftover.id in path for path in left)
