"""Actions without a job, which Freezer leaves of a create that is refused or comes twice."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import attrs
import pytest

from karbor_backup_core import Operation, Outcome, Resource, Result, State, Verb
from karbor_backup_freezer.api import schedulers
from karbor_backup_freezer.api.cleanup import FreezerCleanup
from tests.e2e.freezer.harness import FreezerHarness, run_operation
from tests.support.outcomes import get_outcome
from tests.support.schedulers import CLOUD, silent_scheduler

DIRECTORY = "Freezer::FileSystem::Directory"
NOTHING: dict[str, list[str]] = {"jobs": [], "actions": [], "backups": []}


@pytest.fixture
def stranger(harness: FreezerHarness) -> Iterator[str]:
    """Yield a scheduler that has registered and never comes."""
    with silent_scheduler(harness.client(CLOUD), harness.top) as client_id:
        yield client_id


def _submit_protect(harness: FreezerHarness) -> Operation:
    now = datetime.now(UTC)
    return Operation(
        id=harness.top,
        verb=Verb.PROTECT,
        backend="freezer",
        implementation="freezer",
        scope="s",
        resource=Resource(DIRECTORY, str(harness.tree())),
        options={"backup_name": "nightly"},
        created_at=now,
        deadline=now + timedelta(hours=1),
        state=State.SUBMITTING,
        phase=1,
        attempt=1,
    )


def test_action_of_a_duplicate_create_is_removed(harness: FreezerHarness, stranger: str) -> None:
    backend = harness.backend(cloud=CLOUD, scheduler=stranger)
    operation = _submit_protect(harness)
    backend.call_verb(operation)
    backend.call_verb(operation)
    assert len(harness.left_in_freezer(CLOUD)["actions"]) == 2

    ended = attrs.evolve(
        operation, state=State.RELEASING, attempt=2, outcome=Outcome(Result.SUCCEEDED)
    )
    assert backend.release(ended).leftovers == ()
    assert harness.left_in_freezer(CLOUD) == NOTHING


def test_action_of_a_refused_create_is_removed(
    harness: FreezerHarness, stranger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedulers, "CACHE_SECONDS", 3600.0)
    runner = harness.runner(cloud=CLOUD, scheduler=stranger)
    tree = Resource(DIRECTORY, str(harness.tree()))
    # Host and name together are too long: that is seen when the schedulers are known.
    first = run_operation(runner, Verb.PROTECT, tree, {"backup_name": "n" * 255})
    assert get_outcome(first).refused
    # The backend has the scheduler in its list still, and Freezer does not.
    harness.client(CLOUD).delete_entry("clients", stranger)
    refused = run_operation(runner, Verb.PROTECT, tree, {"backup_name": "nightly"})
    assert refused.state is State.RELEASED
    assert get_outcome(refused).result is Result.FAILED
    assert "status 422" in get_outcome(refused).reason
    assert get_outcome(refused).leftovers == ()
    assert harness.left_in_freezer(CLOUD) == NOTHING


def test_action_that_a_job_lists_is_kept(harness: FreezerHarness, stranger: str) -> None:
    backend = harness.backend(cloud=CLOUD, scheduler=stranger)
    operation = _submit_protect(harness)
    backend.call_verb(operation)
    container = f"{harness.storage}/{harness.top}/{operation.id}"
    assert FreezerCleanup(harness.client(CLOUD)).delete_stray_actions(container) == []
    assert len(harness.left_in_freezer(CLOUD)["actions"]) == 1

    ended = attrs.evolve(operation, state=State.RELEASING, outcome=Outcome(Result.SUCCEEDED))
    backend.release(ended)
    assert harness.left_in_freezer(CLOUD) == NOTHING
