"""One call at a time: what is stored when others write in between."""

import os
from datetime import timedelta

import attrs
import pytest

from karbor_backup_core import (
    Backend,
    BackendError,
    Backup,
    Conflict,
    Driver,
    InvalidInput,
    ManualClock,
    MemoryStore,
    Operation,
    Resource,
    Result,
    State,
    StoreError,
    UnknownBackend,
    Verb,
    plan,
)
from karbor_backup_fake import Cloud, FakeBackend
from karbor_backup_fake.faults import Stall

VOLUME = Resource("OS::Cinder::Volume", "v1")
BACKUP = Backup(
    id="",
    resource=VOLUME,
    backend="fake",
    scope="",
    handle={"version": 1, "copy": "copy-1"},
    storage="",
    created_at=ManualClock()(),
)


class Room:
    """Two processes on one store and one cloud."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.cloud = Cloud("here", clock=self.clock, service_seconds=60)
        self.cloud.put(VOLUME, b"xxxx")
        self.store = MemoryStore()
        self.ours, self.theirs = self.driver(), self.driver()

    def driver(self) -> Driver:
        """Make another process."""
        backend = Backend.of("cloud", FakeBackend({}, cloud=self.cloud))
        return Driver(self.store, {"cloud": backend}, clock=self.clock)

    def submitting(self) -> Operation:
        """Bring an operation of ours before its first call."""
        planned = plan(
            self.ours.backends["cloud"],
            Verb.PROTECT,
            VOLUME,
            {"backup_name": "n"},
            now=self.clock(),
            deadline=timedelta(hours=1),
        )
        return self.ours.step(self.ours.add(planned))

    def during(self, request: str, action: object) -> None:
        """Do something once, just after a request took effect."""

        def gate(point: str) -> None:
            if point == f"{request} done":
                self.cloud.gate = lambda _: None
                action()  # type: ignore[operator]

        self.cloud.gate = gate


@pytest.fixture
def room() -> Room:
    return Room()


def test_a_cancel_that_comes_during_a_call_is_kept_with_its_answer(room: Room) -> None:
    operation = room.submitting()
    room.during("create_job", lambda: room.theirs.request_cancel(operation.id))
    stepped = room.ours.step(operation)
    assert stepped.state is State.RUNNING
    assert stepped.receipt is not None
    assert stepped.cancel_requested


def test_an_end_and_the_step_to_its_release_are_one_write(room: Room) -> None:
    running = room.ours.step(room.submitting())
    room.clock.advance(60)
    (ended,) = room.ours.poll("cloud", [running]).operations
    assert ended.state is State.RELEASING
    assert ended.version == running.version + 1
    assert room.store.operation(ended.id) == ended


def test_lease_is_renewed_before_a_call_when_little_of_it_is_left(room: Room) -> None:
    operation = room.submitting()
    lease = room.ours.lifecycle.policy.lease
    assert operation.lease_until == room.clock() + lease
    room.clock.advance(lease.total_seconds() * 0.9)
    room.ours.step(operation)
    assert room.store.operation(operation.id).lease_until == room.clock() + lease


def test_operation_is_taken_anew_before_a_call_when_the_lease_has_expired(room: Room) -> None:
    operation = room.submitting()
    room.clock.advance(room.ours.lifecycle.policy.lease.total_seconds() + 1)
    begun = room.ours.step(operation)
    assert begun.state is State.RUNNING
    assert begun.fence == operation.fence + 1
    assert begun.owner == room.ours.owner != operation.owner


def test_no_call_is_made_for_an_operation_that_was_taken_while_the_process_slept(
    room: Room,
) -> None:
    operation = room.submitting()
    room.clock.advance(room.ours.lifecycle.policy.lease.total_seconds() + 1)
    room.theirs.take(room.store.operation(operation.id))
    room.cloud.requests.clear()
    with pytest.raises(Conflict, match=r"has been taken over by process .* compare .* clocks"):
        room.ours.step(operation)
    assert not room.cloud.requests


def test_call_that_comes_late_begins_nothing(room: Room) -> None:
    operation = room.submitting()
    room.clock.advance(room.ours.lifecycle.policy.lease.total_seconds() + 1)

    def take_and_finish(point: str) -> None:
        if point == "create_job asked":
            room.cloud.gate = lambda _: None
            taken = room.theirs.take(room.store.operation(operation.id))
            room.theirs.step(taken)

    room.cloud.gate = take_and_finish
    with pytest.raises(BackendError, match="comes late"):
        room.ours.backends["cloud"].call(operation)
    assert room.cloud.started[operation.id, 1] == 1


def test_write_whose_reply_was_lost_is_found_and_not_made_twice(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = room.submitting()
    result = room.ours.call(operation)
    write = room.store.write

    def lose_reply(written: Operation) -> Operation:
        write(written)
        monkeypatch.undo()
        raise StoreError("the connection broke")

    monkeypatch.setattr(room.store, "write", lose_reply)
    with pytest.raises(StoreError, match="broke"):
        room.ours.settle(result)
    settled = room.ours.settle(result)
    assert settled.state is State.RUNNING
    assert settled == room.store.operation(operation.id)


def test_operation_waits_no_longer_for_a_suspended_one_that_holds_its_backup(room: Room) -> None:
    first = room.submitting()
    backup = attrs.evolve(BACKUP, id=first.id, scope=room.ours.backends["cloud"].scope())
    room.store.write(attrs.evolve(first, parked=True, owner="", lease_until=None))
    planned = plan(
        room.ours.backends["cloud"],
        Verb.DELETE,
        backup,
        now=room.clock(),
        deadline=timedelta(hours=1),
    )
    refused = room.ours.step(room.ours.add(planned))
    assert refused.state is State.RELEASED
    assert refused.outcome is not None
    assert refused.outcome.refused
    assert f"karbor-backup resume {first.id}" in refused.outcome.reason


def test_a_cancel_that_comes_during_a_poll_is_kept_and_spoils_no_other(room: Room) -> None:
    one, other = (room.ours.step(room.submitting()) for _ in range(2))
    room.clock.advance(30)
    room.during("list_jobs", lambda: room.theirs.request_cancel(one.id))
    polled = room.ours.poll("cloud", [one, other])
    assert not polled.lost
    assert [each.cancel_requested for each in polled.operations] == [True, False]
    for before, after in zip((one, other), polled.operations, strict=True):
        assert before.done != after.done
        assert room.store.operation(after.id) == after


def test_an_operation_taken_during_a_poll_is_lost_alone(room: Room) -> None:
    one, other = (room.ours.step(room.submitting()) for _ in range(2))

    def steal() -> None:
        room.clock.advance(50)
        room.theirs.take(room.store.operation(one.id))

    room.clock.advance(20)
    room.during("list_jobs", steal)
    polled = room.ours.poll("cloud", [one, other])
    assert isinstance(polled.lost[one.id], Conflict)
    assert [each.id for each in polled.operations] == [other.id]


def test_an_operation_taken_during_a_call_is_not_written_any_more(room: Room) -> None:
    operation = room.submitting()

    def steal() -> None:
        room.clock.advance(3600)
        room.theirs.take(room.store.operation(operation.id))

    room.during("create_job", steal)
    with pytest.raises(Conflict):
        room.ours.step(operation)
    assert room.store.operation(operation.id).owner == room.theirs.owner


def test_a_free_operation_is_taken_and_a_held_one_is_not(room: Room) -> None:
    operation = room.submitting()
    with pytest.raises(Conflict, match=f"is driven by process {os.getpid()} on "):
        room.theirs.take(operation)
    free = room.ours.let_go(operation)
    assert room.theirs.take(free).owner == room.theirs.owner


def test_an_operation_is_let_go_of_although_a_cancel_was_written_meanwhile(room: Room) -> None:
    operation = room.submitting()
    room.theirs.request_cancel(operation.id)
    free = room.ours.let_go(operation)
    assert (free.owner, free.cancel_requested) == ("", True)


def test_what_another_process_has_taken_is_not_let_go_of(room: Room) -> None:
    operation = room.submitting()
    room.clock.advance(3600)
    room.theirs.take(operation)
    with pytest.raises(Conflict):
        room.ours.let_go(operation)


def test_a_renewed_lease_keeps_an_operation(room: Room) -> None:
    seen = room.submitting()
    room.clock.advance(3600)
    room.store.renew(room.ours.owner, room.clock() + timedelta(minutes=1))
    with pytest.raises(Conflict):
        room.theirs.take(seen)


@pytest.mark.parametrize("back", [timedelta(hours=1), timedelta(days=1), timedelta(days=400)])
def test_operation_of_a_lost_owner_is_taken_after_the_clock_was_set_back(
    room: Room, back: timedelta
) -> None:
    operation = room.submitting()
    room.clock.now -= back
    taken = room.theirs.take(room.store.operation(operation.id))
    assert taken.deadline == operation.deadline - back
    begun = room.theirs.step(taken)
    room.clock.advance(60)
    (ended,) = room.theirs.poll("cloud", [begun]).operations
    assert ended.outcome is not None
    assert ended.outcome.result is Result.SUCCEEDED


def test_a_cancel_of_what_has_ended_changes_nothing(room: Room) -> None:
    operation = room.ours.request_cancel(room.submitting().id)
    polled = room.ours.poll("cloud", [operation]).operations[0]
    room.clock.advance(60)
    (ended,) = room.ours.poll("cloud", [polled]).operations
    assert ended.outcome is not None
    assert ended.outcome.result is Result.CANCELLED
    assert room.theirs.request_cancel(ended.id) == ended


def test_an_operation_of_a_backend_that_is_not_configured_says_so(room: Room) -> None:
    stray = attrs.evolve(room.submitting(), backend="gone")
    with pytest.raises(UnknownBackend, match=r"'gone'.*configured: cloud"):
        room.ours.take(stray)


def test_work_that_never_ends_can_be_forgotten_and_its_backup_is_free(room: Room) -> None:
    room.cloud.faults.plan("create_job", Stall())
    room.cloud.heeds_cancel = False
    operation = room.ours.step(room.submitting())
    room.clock.advance(2 * 3600)
    (parked,) = room.ours.poll("cloud", [room.ours.step(operation)]).operations
    assert parked.parked
    forgotten = room.theirs.forget(parked.id)
    assert forgotten.state is State.RELEASED
    assert forgotten.outcome is not None
    assert forgotten.outcome.leftovers
    assert room.cloud.jobs(), "nothing was asked of the service"
    other = attrs.evolve(room.submitting(), backup=backup_of(parked))
    assert other.backup_id == parked.id
    assert room.store.write(other).phase == 1


def test_only_a_parked_operation_can_be_forgotten(room: Room) -> None:
    operation = room.submitting()
    with pytest.raises(InvalidInput, match="submitting, not parked"):
        room.ours.forget(operation.id)


def backup_of(operation: Operation) -> Backup:
    return Backup(
        id=operation.id,
        resource=operation.resource,
        backend="fake",
        scope=operation.scope,
        handle={},
        storage="here",
        created_at=operation.created_at,
    )
