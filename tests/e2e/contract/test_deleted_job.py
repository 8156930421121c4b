"""Freezer's kind of forgetting: somebody deletes the job of a protect whose agent runs.

The contract's rule C-607 asks that all be removed then. Freezer cannot keep it: the agent goes on,
and nobody is told when it ends. What can be done is to say so.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from karbor_backup_contract import Harness
from karbor_backup_contract._context import RuleContext
from karbor_backup_core import Result, State, Verb
from karbor_backup_freezer.model.ids import job_id
from karbor_backup_freezer.model.resource_types import DIRECTORY
from tests.e2e.contract.scripted_harness import (
    RuleEnvironment,
    ScriptedEnvironment,
    SharedTokenSessions,
    scripted_harness,
)


@pytest.fixture
def harness(
    environment: ScriptedEnvironment, sessions: SharedTokenSessions, tmp_path: Path
) -> Iterator[Harness]:
    with scripted_harness(
        RuleEnvironment(environment, tmp_path, storage="disk"), sessions
    ) as harness:
        yield harness


def test_possible_leftovers_of_an_orphaned_agent_are_named(harness: Harness) -> None:
    context = RuleContext(harness)
    operation = context.advance(
        context.start_running(Verb.PROTECT, context.create_resource(DIRECTORY))
    )
    before = context.list_now().data
    harness.create_backend()._client.delete_entry("jobs", job_id(operation.id))
    ended = context.finish(operation)
    assert ended.state is State.RELEASED
    assert ended.outcome is not None
    assert ended.outcome.result is Result.FAILED
    assert context.inventory().bookkeeping == frozenset()
    left = context.inventory().data - before
    (leftover,) = ended.outcome.leftovers
    assert any(leftover.id in path for path in left)
