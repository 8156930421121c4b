"""The process dies at every store write and at every request; another one goes on.

Every kind of operation, with one phase and with several, is run once undisturbed to count the
points at which something leaves or enters the process. Then it is run again for every such point,
and for every two of them, at which the process dies; for every reply that is lost, alone and with
a kill; and with a cancel at every step. Afterwards nothing is doubled and nothing left.
"""

import itertools
from collections.abc import Iterator

import pytest

from karbor_backup_core import Result, Verb
from tests.core.crash_harness import (
    SERVER,
    VOLUME,
    CloudProxy,
    CrashHarness,
    Scenario,
    create_backend,
)

SCENARIOS = [
    Scenario(Verb.PROTECT, VOLUME),
    Scenario(Verb.PROTECT, VOLUME, phases=2),
    Scenario(Verb.PROTECT, VOLUME, heeds_cancel=False),
    Scenario(Verb.RESTORE, VOLUME),
    Scenario(Verb.RESTORE, SERVER, heeds_cancel=False),
    Scenario(Verb.RESTORE, SERVER),
    Scenario(Verb.DELETE, VOLUME),
    Scenario(Verb.DELETE, VOLUME, phases=2),
    Scenario(Verb.VERIFY, VOLUME),
    Scenario(Verb.COPY, VOLUME),
    Scenario(Verb.COPY, VOLUME, heeds_cancel=False),
]

EXTRA_POINTS = 6
"""Points beyond the undisturbed run's, since whoever follows a dead process takes more steps."""

Disturbance = tuple[tuple[int, ...], tuple[int, ...], int | None]
"""Points of death, points of lost replies, and the step at which a cancel comes."""


def _single_faults(points: int) -> Iterator[Disturbance]:
    for point in range(1, points + EXTRA_POINTS):
        yield (point,), (), None
        yield (), (point,), None


def _double_faults(points: int) -> Iterator[Disturbance]:
    reach = range(1, points + EXTRA_POINTS)
    for kills in itertools.combinations(reach, 2):
        yield kills, (), None
    for kill, lost in itertools.product(reach, reach):
        yield (kill,), (lost,), None


def _faults_with_cancel(points: int, steps: int) -> Iterator[Disturbance]:
    for step in range(steps + 2):
        yield (), (), step
        for kills, lost, _ in _single_faults(points):
            yield kills, lost, step


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_an_undisturbed_operation_succeeds(scenario: Scenario) -> None:
    world = CrashHarness(scenario).run()
    assert world.find_errors() == []
    assert world.result is Result.SUCCEEDED


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_another_process_with_a_backend_of_its_own_goes_on(scenario: Scenario) -> None:
    for kills, lost, cancel_at in _single_faults(CrashHarness(scenario).run().crash_points.passed):
        world = CrashHarness(scenario, kills, lost, cancel_at).run()
        assert world.find_errors() == [], f"kills {kills}, lost {lost}"
        assert world.result in (Result.SUCCEEDED, None)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_two_crashes_double_and_leave_nothing(scenario: Scenario) -> None:
    present = CloudProxy()
    shared = (create_backend(scenario, present), present)
    for kills, lost, cancel_at in _double_faults(CrashHarness(scenario).run().crash_points.passed):
        world = CrashHarness(scenario, kills, lost, cancel_at, shared=shared).run()
        assert world.find_errors() == [], f"kills {kills}, lost {lost}"
        assert world.result in (Result.SUCCEEDED, None)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_crash_and_cancel_double_and_leave_nothing(scenario: Scenario) -> None:
    present = CloudProxy()
    shared = (create_backend(scenario, present), present)
    undisturbed = CrashHarness(scenario).run()
    results = set()
    for kills, lost, cancel_at in _faults_with_cancel(
        undisturbed.crash_points.passed, undisturbed.steps
    ):
        world = CrashHarness(scenario, kills, lost, cancel_at, shared=shared).run()
        assert world.find_errors() == [], f"kills {kills}, lost {lost}, cancel at step {cancel_at}"
        results.add(world.result)
    assert {Result.CANCELLED, Result.SUCCEEDED} <= results, "cancels came early and late"
