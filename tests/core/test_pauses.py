"""The process is paused at every store write and request, or the machine's clock is stepped there.

A paused process wakes when another one has taken its operation over and ended it, after its lease
had run out. What it does then changes nothing, and it claims nothing. A step of the clock by two
days, with the process alive or dead, doubles nothing and leaves nothing.
"""

import contextlib
import functools
from datetime import datetime, timedelta

import pytest

from karbor_backup_core import Conflict, Driver, Lifecycle, Result
from karbor_backup_core._clock import SteadyClock
from tests.core.crash_harness import (
    POLICY,
    SERVICE_SECONDS,
    STEPS_LIMIT,
    CrashHarness,
    Scenario,
    create_backend,
)
from tests.core.test_crashes import SCENARIOS

TWO_DAYS = timedelta(days=2)
HOUR = timedelta(hours=1)


class PausedWorld(CrashHarness):
    """A world in which the first process is paused at a point, until another has ended the work."""

    seen_by_the_other: object = None

    def live_with_pause(self, point: int) -> "PausedWorld":
        """Drive the operation by a process that is paused at that point."""
        self.crash_points.disturbance, self.crash_points.disturb = point, self._end_by_another
        self.crash_points.armed = True
        first = self._new_driver()
        with contextlib.suppress(Conflict):
            self._add_planned(first)
            for _ in range(STEPS_LIMIT):
                if self._step(first):
                    break
        self.crash_points.armed = False
        if self.store.operations():
            self._finish(self._new_driver())
        return self

    def state(self) -> object:
        """Return all that is outside of the processes."""
        assets = {id_: self.cloud.read_content(id_) for id_ in self.cloud.inventory.assets}
        jobs = [job.id for job in self.cloud.jobs()]
        return self.store.operations(), self.store.backups(), self.cloud.copies(), assets, jobs

    def _end_by_another(self) -> None:
        self.clock.advance(POLICY.lease.total_seconds() + SERVICE_SECONDS)
        if not self.store.operations():
            return
        self._finish(self._new_driver())
        self.seen_by_the_other = self.state()

    def _finish(self, driver: Driver) -> None:
        (operation,) = self.store.operations()
        self.operation_id = operation.id
        if operation.owner:
            self.clock.advance(POLICY.lease.total_seconds() + 1)
        for _ in range(STEPS_LIMIT):
            if self._step(driver):
                return


@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_process_that_was_paused_changes_nothing_after_another_has_ended_its_work(
    scenario: Scenario,
) -> None:
    ended_by_another = 0
    for point in range(1, CrashHarness(scenario).run().crash_points.passed + 1):
        world = PausedWorld(scenario).live_with_pause(point)
        assert world.find_errors() == [], f"paused at {point}"
        assert world.result is Result.SUCCEEDED, f"paused at {point}"
        if world.seen_by_the_other is not None:
            ended_by_another += 1
            assert world.state() == world.seen_by_the_other, f"paused at {point}"
    assert ended_by_another


class SteppedWorld(CrashHarness):
    """A world in which the wall clock is stepped at a point, while time goes on as it did."""

    def live_with_step(self, point: int, step: timedelta, *, dies: bool) -> "SteppedWorld":
        """Drive the operation; at that point the clock is stepped, and the process may die."""
        self.crash_points.disturbance = point
        self.crash_points.disturb = lambda: setattr(self, "offset", step)
        if dies:
            self.crash_points.crash_at = frozenset({point})
            # So that there is a wait for whoever takes it over.
            self.crash_points.lose_reply_at = frozenset({point - 2, point - 1})
        began = self.clock()
        self.run()
        self.lasted = self.clock() - began
        return self

    offset = timedelta()
    lasted = timedelta()

    def _wall(self) -> datetime:
        return self.clock() + self.offset

    def _seconds_since(self, began: datetime) -> float:
        return (self.clock() - began).total_seconds()

    def _process(self) -> Driver:
        began = self.clock()
        steady = SteadyClock(self._wall, functools.partial(self._seconds_since, began))
        backends = {"cloud": create_backend(self.scenario, self.cloud)}
        driver = Driver(self.store, backends, Lifecycle(POLICY, max), steady)
        # In production it is the machine's clock, which no test may step.
        driver.lease._wall = self._wall
        return driver


@pytest.mark.parametrize("step", [TWO_DAYS, -TWO_DAYS], ids=["forward", "back"])
@pytest.mark.parametrize("dies", [False, True], ids=["alive", "dead"])
@pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
def test_clock_step_doubles_and_leaves_nothing(
    scenario: Scenario, step: timedelta, *, dies: bool
) -> None:
    for point in range(1, CrashHarness(scenario).run().crash_points.passed + 1):
        world = SteppedWorld(scenario).live_with_step(point, step, dies=dies)
        assert world.find_errors() == [], f"stepped at {point}"
        assert world.lasted < HOUR, f"stepped at {point}"
        # Whoever follows a dead process two days later finds that the deadline has passed.
        if not (dies and step > timedelta()):
            assert world.result in (Result.SUCCEEDED, None), f"stepped at {point}"
