"""Operations that share something wait for each other, say for which, and do not wait for ever."""

from datetime import timedelta

import attrs
import pytest

from karbor_backup_core import (
    Backend,
    Call,
    ContractViolation,
    Driver,
    Lifecycle,
    ManualClock,
    MemoryStore,
    Operation,
    Policy,
    Resource,
    Result,
    Runner,
    SharedResource,
    State,
    hookimpl,
    next_call,
    plan_maintenance,
    plan_protect,
)
from karbor_backup_fake import FakeBackend, FakeCloud

VOLUME = Resource("OS::Cinder::Volume", "v1")
OPTIONS = {"backup_name": "n"}
DEADLINE = timedelta(hours=1)
POLICY = Policy(lease=timedelta(days=1))


class Processes:
    """Processes on one store and one cloud, in which a prune has everything to itself."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.cloud = FakeCloud("here", clock=self.clock, service_seconds=60)
        self.cloud.add_resource(VOLUME, b"xxxx")
        self.store = MemoryStore()

    def new_driver(self) -> Driver:
        """Make another process."""
        plugin = FakeBackend({"exclusive_prune": True}, cloud=self.cloud)
        backend = Backend.from_plugin("cloud", plugin)
        return Driver(self.store, {"cloud": backend}, Lifecycle(POLICY), self.clock)

    def add_protect(self, driver: Driver) -> Operation:
        """Add a protect, which is submitted a second after all before it."""
        backend = driver.backends["cloud"]
        self.clock.advance(1)
        return driver.add(
            plan_protect(backend, VOLUME, OPTIONS, now=self.clock(), deadline=DEADLINE)
        )

    def add_prune(self, driver: Driver) -> Operation:
        """Add a prune, likewise."""
        backend = driver.backends["cloud"]
        self.clock.advance(1)
        return driver.add(plan_maintenance(backend, "prune", now=self.clock(), deadline=DEADLINE))

    def attempt(self, driver: Driver, operation: Operation) -> Operation:
        """Try to begin an operation, once its wait is over."""
        operation = self.store.operation(operation.id)
        if next_call(operation, self.clock()) is Call.WAIT:
            assert operation.retry.not_before is not None
            self.clock.advance((operation.retry.not_before - self.clock()).total_seconds())
        return driver.step(operation)

    def finish(self, driver: Driver, operation: Operation) -> Operation:
        """Drive an operation to its end."""
        while not operation.finished:
            if next_call(operation, self.clock()) is Call.POLL:
                (operation,) = driver.poll("cloud", [operation]).operations
                self.clock.advance(10)
            else:
                operation = self.attempt(driver, operation)
        return operation


@pytest.fixture
def processes() -> Processes:
    return Processes()


def test_protect_waits_for_a_prune_without_a_call_and_names_it(processes: Processes) -> None:
    ours, theirs = processes.new_driver(), processes.new_driver()
    prune = processes.attempt(ours, processes.add_prune(ours))
    protect = processes.attempt(theirs, processes.add_protect(theirs))
    assert (prune.state, protect.state) == (State.SUBMITTING, State.PLANNED)
    assert protect.retry.last_error == (
        f"operation {prune.id} works on fake:here: this one begins when it has ended"
    )
    assert protect.retry.not_before is not None
    assert not processes.cloud.jobs(protect.id)
    assert processes.finish(ours, prune).succeeded
    assert processes.finish(theirs, protect).succeeded


def test_prune_waits_for_protects_and_is_not_overtaken(processes: Processes) -> None:
    ours, theirs = processes.new_driver(), processes.new_driver()
    first = processes.attempt(ours, processes.add_protect(ours))
    prune = processes.attempt(theirs, processes.add_prune(theirs))
    assert f"operation {first.id} works on fake:here" in prune.retry.last_error
    later = processes.attempt(ours, processes.add_protect(ours))
    assert later.retry.last_error == (
        f"operation {prune.id} waits for fake:here and came before: this one follows"
    )
    assert processes.finish(ours, first).succeeded
    assert processes.attempt(ours, later).state is State.PLANNED
    assert processes.finish(theirs, prune).succeeded
    assert processes.finish(ours, later).succeeded


def test_protects_go_side_by_side(processes: Processes) -> None:
    driver = processes.new_driver()
    begun = [processes.attempt(driver, processes.add_protect(driver)) for _ in range(3)]
    assert {each.state for each in begun} == {State.SUBMITTING}


def test_waiting_prune_that_nobody_drives_loses_its_turn_until_it_is_resumed(
    processes: Processes,
) -> None:
    ours, dead, successor = (processes.new_driver() for _ in range(3))
    first = processes.attempt(ours, processes.add_protect(ours))
    prune = processes.attempt(dead, processes.add_prune(dead))
    dead.release_lease(prune)
    second = processes.attempt(ours, processes.add_protect(ours))
    assert second.state is State.SUBMITTING
    prune = processes.attempt(successor, successor.acquire(processes.store.operation(prune.id)))
    third = processes.attempt(ours, processes.add_protect(ours))
    assert f"operation {prune.id} waits" in third.retry.last_error
    for each in (first, second):
        processes.finish(ours, each)
    assert processes.finish(successor, prune).succeeded
    assert processes.finish(ours, third).succeeded


def test_prune_whose_process_died_is_named_with_what_to_do(processes: Processes) -> None:
    ours, dead = processes.new_driver(), processes.new_driver()
    prune = processes.attempt(dead, processes.add_prune(dead))
    dead.release_lease(prune)
    protect = processes.attempt(ours, processes.add_protect(ours))
    assert f"karbor-backup resume {prune.id} goes on with it" in protect.retry.last_error
    assert processes.finish(ours, ours.acquire(processes.store.operation(prune.id))).succeeded
    assert processes.finish(ours, protect).succeeded


def test_suspended_prune_is_not_waited_for(processes: Processes) -> None:
    driver = processes.new_driver()
    prune = processes.attempt(driver, processes.add_prune(driver))
    suspended = attrs.evolve(prune, suspended=True, lease=None)
    assert processes.store.write([suspended])
    protect = processes.attempt(driver, processes.add_protect(driver))
    assert protect.outcome is not None
    assert protect.outcome.refused
    assert protect.outcome.reason.startswith(
        f"fake:here is held by operation {prune.id}, which is suspended"
    )
    driver.abandon(prune.id)
    assert processes.finish(driver, processes.add_protect(driver)).succeeded


@pytest.mark.parametrize("by", ["cancel", "deadline"])
def test_waiting_prune_that_is_over_bars_nobody(processes: Processes, by: str) -> None:
    ours, theirs = processes.new_driver(), processes.new_driver()
    processes.attempt(ours, processes.add_protect(ours))
    prune = processes.attempt(theirs, processes.add_prune(theirs))
    if by == "cancel":
        ours.request_cancel(prune.id)
    else:
        processes.clock.advance(DEADLINE.total_seconds())
    prune = processes.attempt(theirs, prune)
    assert prune.outcome is not None
    assert prune.outcome.result is (Result.CANCELLED if by == "cancel" else Result.FAILED)
    assert processes.attempt(ours, processes.add_protect(ours)).state is State.SUBMITTING


def test_runner_drives_operations_that_wait_for_each_other() -> None:
    cloud, store = FakeCloud("here"), MemoryStore()
    cloud.add_resource(VOLUME, b"xxxx")
    backend = Backend.from_plugin("cloud", FakeBackend({"exclusive_prune": True}, cloud=cloud))
    with Runner(store, {"cloud": backend}) as runner:
        begun = [
            runner.maintain("cloud", "prune")
            if number % 3 == 0
            else runner.protect("cloud", VOLUME, OPTIONS)
            for number in range(9)
        ]
        assert all(runner.wait(each.id, 600).succeeded for each in begun)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (None, "answered None"),
        ([Resource("a", "b")], "a Resource"),
        ([SharedResource("")], "without a name"),
        ([SharedResource("a"), SharedResource("a", exclusive=True)], "one of them twice"),
        ([SharedResource("a" * 256)], "255"),
        ([SharedResource("a\x00")], "cannot be stored"),
    ],
)
def test_answers_that_no_store_can_keep_are_refused(answer: object, says: str) -> None:
    class Odd(FakeBackend):
        @hookimpl
        def shared_resources(self) -> object:
            return answer

    backend = Backend.from_plugin("cloud", Odd({}, cloud=FakeCloud("here")))
    with pytest.raises(ContractViolation, match=says):
        plan_protect(backend, VOLUME, OPTIONS)
