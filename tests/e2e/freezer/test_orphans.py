"""Actions without a job, which Freezer leaves of a create that is refused or comes twice."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
import pytest

from karbor_backup_core import Operation, Outcome, Resource, Result, State, Verb
from karbor_backup_freezer import schedulers
from karbor_backup_freezer.bookkeeping import Bookkeeping

DIRECTORY = "Freezer::FileSystem::Directory"
CLOUD = "other"
NOTHING: dict[str, list[str]] = {"jobs": [], "actions": [], "backups": []}


@pytest.fixture
def stranger(bench: Any) -> Iterator[str]:
    """A scheduler that has registered and never comes."""
    client = bench.client(CLOUD)
    client._send("POST", "clients", json={"client_id": bench.top, "hostname": "far"})
    yield bench.top
    client.delete("clients", bench.top)


def _protect(bench: Any) -> Operation:
    now = datetime.now(UTC)
    return Operation(
        id=bench.top,
        verb=Verb.PROTECT,
        backend="freezer",
        implementation="freezer",
        scope="s",
        resource=Resource(DIRECTORY, str(bench.tree())),
        options={"backup_name": "nightly"},
        created_at=now,
        deadline=now + timedelta(hours=1),
        state=State.SUBMITTING,
        phase=1,
        attempt=1,
    )


def test_the_action_of_a_create_that_came_twice_is_removed(bench: Any, stranger: str) -> None:
    backend = bench.backend(cloud=CLOUD, scheduler=stranger)
    operation = _protect(bench)
    backend.call(operation)
    backend.call(operation)
    assert len(bench.left_in_freezer(CLOUD)["actions"]) == 2

    ended = attrs.evolve(
        operation, state=State.RELEASING, attempt=2, outcome=Outcome(Result.SUCCEEDED)
    )
    assert backend.release(ended).leftovers == ()
    assert bench.left_in_freezer(CLOUD) == NOTHING


def test_the_action_of_a_create_that_was_refused_is_removed(
    bench: Any, do: Any, stranger: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedulers, "REMEMBERED", 3600.0)
    runner = bench.runner(cloud=CLOUD, scheduler=stranger)
    tree = Resource(DIRECTORY, str(bench.tree()))
    # Host and name together are too long: that is seen when the schedulers are known.
    first = do.run(runner, Verb.PROTECT, tree, {"backup_name": "n" * 255})
    assert first.outcome.refused
    # The backend has the scheduler in its list still, and Freezer does not.
    bench.client(CLOUD).delete("clients", stranger)
    refused = do.run(runner, Verb.PROTECT, tree, {"backup_name": "nightly"})
    assert refused.state is State.RELEASED
    assert refused.outcome.result is Result.FAILED
    assert "status 422" in refused.outcome.reason
    assert refused.outcome.leftovers == ()
    assert bench.left_in_freezer(CLOUD) == NOTHING


def test_an_action_that_a_job_lists_is_let_be(bench: Any, stranger: str) -> None:
    backend = bench.backend(cloud=CLOUD, scheduler=stranger)
    operation = _protect(bench)
    backend.call(operation)
    container = f"{bench.storage}/{bench.top}/{operation.id}"
    assert Bookkeeping(bench.client(CLOUD)).sweep(container) == []
    assert len(bench.left_in_freezer(CLOUD)["actions"]) == 1

    ended = attrs.evolve(operation, state=State.RELEASING, outcome=Outcome(Result.SUCCEEDED))
    backend.release(ended)
    assert bench.left_in_freezer(CLOUD) == NOTHING
