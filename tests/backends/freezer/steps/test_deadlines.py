"""Agents that never end: the deadline fails the operation, and what is left is named."""

import datetime as dt

import pytest

from karbor_backup_core import Operation, Result, State, Verb
from karbor_backup_freezer.identifiers import job_id
from tests.backends.freezer.steps.stage import Stage
from tests.backends.freezer.steps.test_protect import backup_of, nothing_left


def given_up(operation: Operation) -> set[str]:
    """The kinds of what an operation has left that was parked after its deadline."""
    assert operation.parked
    assert operation.outcome is not None
    assert operation.outcome.result is Result.FAILED
    assert "deadline" in operation.outcome.reason
    assert job_id(operation.id) in {left.id for left in operation.outcome.leftovers}
    return {left.kind for left in operation.outcome.leftovers}


@pytest.fixture
def slow(stage: Stage) -> Stage:
    stage.pace = dt.timedelta(minutes=4)
    return stage


def test_a_protect_names_the_agents_copies_and_removes_them_when_it_has_ended(slow: Stage) -> None:
    volume = slow.volume("data")
    before = set(slow.cloud.world.inventory)
    slow.freezer.hangs = True
    operation = slow.done(Verb.PROTECT, volume)
    assert given_up(operation) >= {"Freezer job", "volume", "volume snapshot"}
    assert set(slow.cloud.world.inventory) > before

    slow.freezer.end()
    operation = slow.resumed(operation)
    assert operation.state is State.RELEASED
    assert operation.outcome is not None
    assert set(slow.cloud.world.inventory) == before
    assert nothing_left(slow)


def test_a_restore_names_its_half_done_volume_and_removes_it_when_it_has_ended(
    slow: Stage,
) -> None:
    backup = backup_of(slow.done(Verb.PROTECT, slow.volume("data")))
    before = slow.cloud.made()
    slow.freezer.hangs = True
    operation = slow.done(Verb.RESTORE, backup)
    assert given_up(operation) >= {"Freezer job", "volume"}

    slow.freezer.end()
    operation = slow.resumed(operation)
    assert operation.state is State.RELEASED
    assert slow.cloud.made() == before
    assert nothing_left(slow)
