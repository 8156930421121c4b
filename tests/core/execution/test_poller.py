"""When a backend is polled, and for whom: with a timer and a clock that the test controls."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import attrs
import pytest

from karbor_backup_core import (
    Backend,
    Driver,
    Lifecycle,
    ManualClock,
    MemoryStore,
    Operation,
    Policy,
    Resource,
    State,
    StoreError,
    plan_protect,
)
from karbor_backup_core._execution import poller
from karbor_backup_core._execution.poll_interval import PollInterval
from karbor_backup_core._execution.poller import BackendPoller, PollCallbacks
from karbor_backup_core.stores.common import write_one
from karbor_backup_fake import FakeBackend, FakeCloud
from karbor_backup_fake.faults import Busy, Refused, StallJob
from tests.support.strategies import lease

POLICY = Policy(
    poll_first=timedelta(seconds=2),
    poll_limit=timedelta(seconds=60),
    retry_first=timedelta(seconds=16),
)
HOUR = timedelta(hours=1)


@attrs.define
class ScheduledCall:
    """A call that the timer has scheduled."""

    delay: float
    action: Callable[[], object]


@attrs.define
class ManualTimer:
    """A timer that calls nothing until the test says so."""

    calls: list[ScheduledCall] = attrs.field(factory=list)

    def schedule(self, delay: timedelta, action: Callable[[], object]) -> ScheduledCall:
        self.calls.append(ScheduledCall(delay.total_seconds(), action))
        return self.calls[-1]

    def cancel(self, entry: ScheduledCall) -> bool:
        self.calls.remove(entry)
        return True


class PollerHarness:
    """A poller with all that it works with."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.cloud = FakeCloud("here", clock=self.clock, service_seconds=600)
        self.store = MemoryStore()
        backend = Backend.from_plugin("cloud", FakeBackend({}, cloud=self.cloud))
        self.driver = Driver(self.store, {"cloud": backend}, Lifecycle(POLICY, max), self.clock)
        self.timer = ManualTimer()
        self.ready: list[Operation] = []
        self.lost: list[str] = []
        self.deferred: list[str] = []
        self.poller = BackendPoller(
            "cloud",
            self.driver,
            self.timer,  # type: ignore[arg-type]
            lambda action: action(),
            PollCallbacks(
                on_ready=self.ready.append,
                on_update=lambda _: None,
                on_error=lambda operation_id, _: self.lost.append(operation_id),
                on_store_failure=lambda operation_id, _: self.deferred.append(operation_id),
            ),
        )

    def plan_protect(self, name: str) -> Operation:
        """Plan to protect a new volume."""
        resource = self.cloud.add_resource(Resource("OS::Cinder::Volume", name), b"x")
        backend, options = self.driver.backends["cloud"], {"backup_name": name}
        return plan_protect(backend, resource, options, now=self.clock(), deadline=HOUR)

    def add_running(self, name: str) -> Operation:
        """Begin an operation and hand it to the poller."""
        planned = self.plan_protect(name)
        operation = self.driver.step(self.driver.step(self.driver.add(planned)))
        assert operation.state is State.RUNNING
        self.poller.watch(operation)
        return operation

    def run_next_poll(self) -> None:
        """Let the time pass until the next poll, and make it."""
        (entry,) = self.timer.calls
        self.timer.calls.clear()
        self.clock.advance(entry.delay)
        entry.action()

    @property
    def delays(self) -> list[float]:
        """Return the seconds until each scheduled poll."""
        return [entry.delay for entry in self.timer.calls]


@pytest.fixture
def harness() -> PollerHarness:
    return PollerHarness()


def test_one_poll_is_planned_for_all(harness: PollerHarness) -> None:
    for name in "abc":
        harness.add_running(name)
    assert harness.delays == [2]
    harness.run_next_poll()
    assert harness.cloud.requests["list_jobs"] == 1


def test_earlier_poll_replaces_a_later_one(harness: PollerHarness) -> None:
    harness.add_running("old")
    for _ in range(20):
        harness.run_next_poll()
    (pause,) = harness.delays
    assert pause > 2
    harness.add_running("new")
    assert harness.delays == [2]


def test_polls_become_rare_as_the_work_goes_on(harness: PollerHarness) -> None:
    harness.add_running("a")
    pauses = []
    for _ in range(12):
        pauses += harness.delays
        harness.run_next_poll()
    assert pauses == sorted(pauses)
    assert pauses[-1] > pauses[0]


def test_ended_operation_is_handed_on_and_not_polled_again(harness: PollerHarness) -> None:
    ended = harness.add_running("a")
    harness.cloud.faults.plan("create_job", StallJob())
    goes_on = harness.add_running("b")
    harness.clock.advance(600)
    harness.run_next_poll()
    assert [operation.id for operation in harness.ready] == [ended.id]
    asked: list[str] = []
    harness.cloud.gate = asked.append
    harness.driver.step(harness.ready.pop())
    harness.run_next_poll()
    assert harness.ready == []
    assert harness.lost == []
    assert harness.store.operation(goes_on.id).state is State.RUNNING


def test_a_poll_that_failed_is_repeated_after_a_growing_pause(harness: PollerHarness) -> None:
    harness.cloud.faults.plan("list_jobs", Busy(), Busy())
    harness.add_running("a")
    harness.run_next_poll()
    assert harness.delays == [16]
    harness.run_next_poll()
    assert harness.delays == [32]
    harness.run_next_poll()
    assert harness.delays < [16]


def test_operation_added_during_an_outage_waits_for_the_retry(harness: PollerHarness) -> None:
    harness.cloud.faults.plan("list_jobs", Busy())
    harness.add_running("a")
    harness.run_next_poll()
    harness.add_running("b")
    assert harness.delays == [16]


def test_polls_that_are_refused_for_good_come_ever_further_apart(harness: PollerHarness) -> None:
    harness.cloud.faults.plan("list_jobs", Refused(), Refused(), Busy())
    operation = harness.add_running("a")
    harness.run_next_poll()
    assert harness.delays == [60]
    assert harness.store.operation(operation.id).retry.last_error
    harness.run_next_poll()
    assert harness.delays == [120]
    harness.run_next_poll()
    assert harness.delays < [120]
    harness.run_next_poll()
    assert harness.store.operation(operation.id).retry.last_error == ""


def test_no_poll_waits_beyond_a_deadline(harness: PollerHarness) -> None:
    harness.cloud.faults.plan("list_jobs", Refused(), Refused(), Refused())
    operation = harness.add_running("a")
    harness.clock.advance_to(operation.deadline - timedelta(seconds=30))
    harness.run_next_poll()
    assert harness.delays == [operation.deadline.timestamp() - harness.clock().timestamp()]
    harness.run_next_poll()
    (told,) = harness.ready
    assert told.deadline <= harness.clock(), "it is told to stop next"


def test_poll_soon_hands_on_a_cancelled_operation_before_the_poll(harness: PollerHarness) -> None:
    operation = harness.add_running("a")
    harness.driver.request_cancel(operation.id)
    harness.poller.poll_soon()
    assert harness.delays == [0]
    harness.run_next_poll()
    assert [heard.cancel_requested for heard in harness.ready] == [True]
    assert harness.delays == [], "nobody is left to poll for"


def test_operation_with_known_cancel_is_polled(harness: PollerHarness) -> None:
    planned = harness.plan_protect("a")
    submitting = harness.driver.step(harness.driver.add(planned))
    harness.poller.watch(harness.driver.request_cancel(submitting.id))
    harness.run_next_poll()
    assert harness.store.operation(planned.id).retry.unknown_since is not None


def test_an_operation_that_another_process_took_is_lost_alone(harness: PollerHarness) -> None:
    kept, taken = harness.add_running("a"), harness.add_running("b")
    stolen = attrs.evolve(harness.store.operation(taken.id), lease=lease("somebody else"))
    write_one(harness.store, stolen)
    harness.clock.advance(600)
    harness.run_next_poll()
    assert harness.lost == [taken.id]
    assert [operation.id for operation in harness.ready] == [kept.id]


@pytest.mark.parametrize("unexpected", [None, RuntimeError, OSError, SystemExit])
@pytest.mark.parametrize("method", ["cancel_requests", "write"])
def test_no_operation_is_lost_when_the_store_cannot_be_used(
    harness: PollerHarness,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    unexpected: type[BaseException] | None,
) -> None:
    def fail(asked: Any) -> Any:
        error = StoreError("the connection is closed")
        if unexpected is not None:
            raise unexpected("what no store may raise")
        if method == "cancel_requests":
            raise error
        return dict.fromkeys([each.id for each in asked], error)

    operation = harness.add_running("a")
    harness.clock.advance(600)
    monkeypatch.setattr(harness.store, method, fail)
    harness.run_next_poll()
    assert harness.deferred == [operation.id]
    assert harness.lost == harness.ready == []
    monkeypatch.undo()
    harness.run_next_poll()
    assert [ended.id for ended in harness.ready] == [operation.id]


@pytest.mark.parametrize("number", [1, 2, 3, 7])
@pytest.mark.parametrize("place", ["apply", "record_completion", "next_call", "on_update"])
def test_fault_of_one_operation_in_a_poll_drops_no_other(
    harness: PollerHarness, monkeypatch: pytest.MonkeyPatch, place: str, number: int
) -> None:
    running = [harness.add_running(str(n)) for n in range(number)]
    faulty = running[number // 2]
    raise_for_faulty(harness, monkeypatch, place, faulty.id)
    harness.clock.advance(600)
    harness.run_next_poll()
    assert harness.lost == [faulty.id]
    assert {each.id for each in harness.ready} == {each.id for each in running} - {faulty.id}
    assert harness.delays == [], "nobody is left to poll for"


def raise_for_faulty(
    harness: PollerHarness, monkeypatch: pytest.MonkeyPatch, place: str, faulty: str
) -> None:
    """Let a place in the core raise whenever it gets this operation."""
    owner: Any = {
        "apply": Lifecycle,
        "record_completion": PollInterval,
        "next_call": poller,
        "on_update": poller.PollCallbacks,
    }[place]
    original: Any = getattr(owner, place, None)

    def fail(*arguments: Any) -> Any:
        if any(getattr(each, "id", "") == faulty for each in arguments):
            raise TypeError("a fault of the core's own")
        return original(*arguments)

    if place == "on_update":
        callbacks = harness.poller._callbacks
        original = callbacks.on_update
        monkeypatch.setattr(harness.poller, "_callbacks", attrs.evolve(callbacks, on_update=fail))
    else:
        monkeypatch.setattr(owner, place, fail)


def test_fault_of_all_operations_in_a_poll_drops_all(
    harness: PollerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = [harness.add_running(name) for name in "abc"]

    def fail(*_: object) -> None:
        raise TypeError("a fault of the core's own")

    monkeypatch.setattr(Lifecycle, "apply", fail)
    harness.run_next_poll()
    assert sorted(harness.lost) == sorted(each.id for each in running)
