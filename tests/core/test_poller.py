"""When a backend is polled, and for whom: with an agenda and a clock that the test turns."""

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
    Verb,
    plan,
)
from karbor_backup_core.poller import Listener, Poller
from karbor_backup_fake import Cloud, FakeBackend
from karbor_backup_fake.faults import Busy, Refused, Stall

POLICY = Policy(
    poll_first=timedelta(seconds=2),
    poll_limit=timedelta(seconds=60),
    retry_first=timedelta(seconds=16),
)
HOUR = timedelta(hours=1)


@attrs.define
class Entry:
    """Something on the agenda."""

    delay: float
    action: Callable[[], object]


@attrs.define
class SlowAgenda:
    """An agenda on which nothing happens until the test says so."""

    entries: list[Entry] = attrs.field(factory=list)

    def after(self, delay: timedelta, action: Callable[[], object]) -> Entry:
        self.entries.append(Entry(delay.total_seconds(), action))
        return self.entries[-1]

    def forget(self, entry: Entry) -> bool:
        self.entries.remove(entry)
        return True


class Room:
    """A poller with all that it works with."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.cloud = Cloud("here", clock=self.clock, service_seconds=600)
        self.store = MemoryStore()
        backend = Backend.of("cloud", FakeBackend({}, cloud=self.cloud))
        self.driver = Driver(self.store, {"cloud": backend}, Lifecycle(POLICY), self.clock)
        self.agenda = SlowAgenda()
        self.gone_on: list[Operation] = []
        self.lost: list[str] = []
        self.deferred: list[str] = []
        self.poller = Poller(
            "cloud",
            self.driver,
            self.agenda,  # type: ignore[arg-type]
            lambda action: action(),
            Listener(
                go_on=self.gone_on.append,
                note=lambda _: None,
                lose=lambda operation_id, _: self.lost.append(operation_id),
                defer=lambda operation_id, _: self.deferred.append(operation_id),
            ),
        )

    def planned(self, name: str) -> Operation:
        """Plan to protect a new volume."""
        resource = self.cloud.put(Resource("OS::Cinder::Volume", name), b"x")
        backend, options = self.driver.backends["cloud"], {"backup_name": name}
        return plan(backend, Verb.PROTECT, resource, options, now=self.clock(), deadline=HOUR)

    def running(self, name: str) -> Operation:
        """Begin an operation and hand it to the poller."""
        planned = self.planned(name)
        operation = self.driver.step(self.driver.step(self.driver.add(planned)))
        assert operation.state is State.RUNNING
        self.poller.add(operation)
        return operation

    def poll(self) -> None:
        """Let the time pass until the next poll, and make it."""
        (entry,) = self.agenda.entries
        self.agenda.entries.clear()
        self.clock.advance(entry.delay)
        entry.action()

    @property
    def pauses(self) -> list[float]:
        """What is on the agenda: seconds until a poll."""
        return [entry.delay for entry in self.agenda.entries]


@pytest.fixture
def room() -> Room:
    return Room()


def test_one_poll_is_planned_for_all(room: Room) -> None:
    for name in "abc":
        room.running(name)
    assert room.pauses == [2]
    room.poll()
    assert room.cloud.requests["list_jobs"] == 1


def test_a_poll_that_comes_sooner_takes_the_place_of_a_later_one(room: Room) -> None:
    room.running("old")
    for _ in range(20):
        room.poll()
    (pause,) = room.pauses
    assert pause > 2
    room.running("new")
    assert room.pauses == [2]


def test_polls_become_rare_as_the_work_goes_on(room: Room) -> None:
    room.running("a")
    pauses = []
    for _ in range(12):
        pauses += room.pauses
        room.poll()
    assert pauses == sorted(pauses)
    assert pauses[-1] > pauses[0]


def test_what_has_ended_is_handed_on_and_polled_no_more(room: Room) -> None:
    ended = room.running("a")
    room.cloud.faults.plan("create_job", Stall())
    goes_on = room.running("b")
    room.clock.advance(600)
    room.poll()
    assert [operation.id for operation in room.gone_on] == [ended.id]
    asked: list[str] = []
    room.cloud.gate = asked.append
    room.driver.step(room.gone_on.pop())
    room.poll()
    assert room.gone_on == []
    assert room.lost == []
    assert room.store.operation(goes_on.id).state is State.RUNNING


def test_a_poll_that_failed_is_repeated_after_a_growing_pause(room: Room) -> None:
    room.cloud.faults.plan("list_jobs", Busy(), Busy())
    room.running("a")
    room.poll()
    assert room.pauses == [16]
    room.poll()
    assert room.pauses == [32]
    room.poll()
    assert room.pauses < [16]


def test_who_comes_while_the_service_is_away_waits_as_well(room: Room) -> None:
    room.cloud.faults.plan("list_jobs", Busy())
    room.running("a")
    room.poll()
    room.running("b")
    assert room.pauses == [16]


def test_polls_that_are_refused_for_good_come_ever_further_apart(room: Room) -> None:
    room.cloud.faults.plan("list_jobs", Refused(), Refused(), Busy())
    operation = room.running("a")
    room.poll()
    assert room.pauses == [60]
    assert room.store.operation(operation.id).last_error
    room.poll()
    assert room.pauses == [120]
    room.poll()
    assert room.pauses < [120]
    room.poll()
    assert room.store.operation(operation.id).last_error == ""


def test_no_poll_waits_beyond_a_deadline(room: Room) -> None:
    room.cloud.faults.plan("list_jobs", Refused(), Refused(), Refused())
    operation = room.running("a")
    room.clock.advance_to(operation.deadline - timedelta(seconds=30))
    room.poll()
    assert room.pauses == [operation.deadline.timestamp() - room.clock().timestamp()]
    room.poll()
    (told,) = room.gone_on
    assert told.deadline <= room.clock(), "it is told to stop next"


def test_a_cancel_is_heard_before_the_poll_and_hurried(room: Room) -> None:
    operation = room.running("a")
    room.driver.request_cancel(operation.id)
    room.poller.hurry()
    assert room.pauses == [0]
    room.poll()
    assert [heard.cancel_requested for heard in room.gone_on] == [True]
    assert room.pauses == [], "nobody is left to poll for"


def test_who_knows_of_his_cancel_is_polled_for(room: Room) -> None:
    planned = room.planned("a")
    submitting = room.driver.step(room.driver.add(planned))
    room.poller.add(room.driver.request_cancel(submitting.id))
    room.poll()
    assert room.store.operation(planned.id).unknown_since is not None


def test_an_operation_that_another_process_took_is_lost_alone(room: Room) -> None:
    kept, taken = room.running("a"), room.running("b")
    stolen = attrs.evolve(room.store.operation(taken.id), owner="somebody else")
    room.store.write(stolen)
    room.clock.advance(600)
    room.poll()
    assert room.lost == [taken.id]
    assert [operation.id for operation in room.gone_on] == [kept.id]


@pytest.mark.parametrize("unexpected", [None, RuntimeError, OSError, SystemExit])
@pytest.mark.parametrize("method", ["cancel_requests", "write_all"])
def test_no_operation_is_lost_when_the_store_cannot_be_used(
    room: Room,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    unexpected: type[BaseException] | None,
) -> None:
    def fail(*arguments: Any) -> Any:
        error = StoreError("the connection is closed")
        if unexpected is not None:
            raise unexpected("what no store may raise")
        if method == "cancel_requests":
            raise error
        return dict.fromkeys([each.id for some in arguments for each in some], error)

    operation = room.running("a")
    room.clock.advance(600)
    monkeypatch.setattr(room.store, method, fail)
    room.poll()
    assert room.deferred == [operation.id]
    assert room.lost == room.gone_on == []
    monkeypatch.undo()
    room.poll()
    assert [ended.id for ended in room.gone_on] == [operation.id]
