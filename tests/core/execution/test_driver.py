"""One call at a time: what is stored when others write in between."""

import os
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NoReturn

import attrs
import pytest

from karbor_backup_core import (
    Backend,
    BackendError,
    Backup,
    Conflict,
    Driver,
    InvalidInput,
    KarborBackupError,
    Lease,
    ManualClock,
    MemoryStore,
    Operation,
    Place,
    Progress,
    Resource,
    Result,
    State,
    StoreError,
    Transient,
    UnknownBackend,
    WrongPlace,
    hookimpl,
    plan_delete,
    plan_protect,
)
from karbor_backup_core.stores.common import write_one
from karbor_backup_fake import FakeBackend, FakeCloud
from karbor_backup_fake.faults import StallJob

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


class TwoDrivers:
    """Two processes on one store and one cloud."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.cloud = FakeCloud("here", clock=self.clock, service_seconds=60)
        self.cloud.add_resource(VOLUME, b"xxxx")
        self.store = MemoryStore()
        self.ours, self.theirs = self.new_driver(), self.new_driver()

    def new_driver(self) -> Driver:
        """Make another process."""
        backend = Backend.from_plugin("cloud", FakeBackend({}, cloud=self.cloud))
        return Driver(self.store, {"cloud": backend}, clock=self.clock)

    def submitting_operation(self) -> Operation:
        """Bring an operation of ours before its first call."""
        planned = plan_protect(
            self.ours.backends["cloud"],
            VOLUME,
            {"backup_name": "n"},
            now=self.clock(),
            deadline=timedelta(hours=1),
        )
        return self.ours.step(self.ours.add(planned))

    def run_during(self, request: str, action: object) -> None:
        """Do something once, just after a request took effect."""

        def gate(point: str) -> None:
            if point == f"{request} done":
                self.cloud.gate = lambda _: None
                action()  # type: ignore[operator]

        self.cloud.gate = gate


@pytest.fixture
def drivers() -> TwoDrivers:
    return TwoDrivers()


def test_a_cancel_that_comes_during_a_call_is_kept_with_its_answer(drivers: TwoDrivers) -> None:
    operation = drivers.submitting_operation()
    drivers.run_during("create_job", lambda: drivers.theirs.request_cancel(operation.id))
    stepped = drivers.ours.step(operation)
    assert stepped.state is State.RUNNING
    assert stepped.receipt is not None
    assert stepped.cancel_requested


def test_outcome_and_release_state_are_stored_in_one_write(drivers: TwoDrivers) -> None:
    running = drivers.ours.step(drivers.submitting_operation())
    drivers.clock.advance(60)
    (ended,) = drivers.ours.poll("cloud", [running]).operations
    assert ended.state is State.RELEASING
    assert ended.version == running.version + 1
    assert drivers.store.operation(ended.id) == ended


def test_lease_is_renewed_before_a_call_when_little_of_it_is_left(drivers: TwoDrivers) -> None:
    operation = drivers.submitting_operation()
    lease = drivers.ours.lifecycle.policy.lease
    assert operation.lease == Lease(drivers.ours.owner, drivers.clock() + lease)
    drivers.clock.advance(lease.total_seconds() * 0.9)
    drivers.ours.step(operation)
    assert drivers.store.operation(operation.id).lease == Lease(
        drivers.ours.owner, drivers.clock() + lease
    )


def test_operation_is_taken_anew_before_a_call_when_the_lease_has_expired(
    drivers: TwoDrivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = drivers.submitting_operation()
    drivers.clock.advance(drivers.ours.lifecycle.policy.lease.total_seconds() + 1)
    told: list[tuple[str, str]] = []
    monkeypatch.setattr(
        Backend,
        "notify_extensions",
        lambda _, after, before: told.append((before.owner, after.owner)),
    )
    begun = drivers.ours.step(operation)
    assert told[0] == (operation.owner, begun.owner)
    assert begun.state is State.RUNNING
    assert begun.fence == operation.fence + 1
    assert begun.owner == drivers.ours.owner != operation.owner


def test_no_call_is_made_for_an_operation_that_was_taken_while_the_process_slept(
    drivers: TwoDrivers,
) -> None:
    operation = drivers.submitting_operation()
    drivers.clock.advance(drivers.ours.lifecycle.policy.lease.total_seconds() + 1)
    drivers.theirs.acquire(drivers.store.operation(operation.id))
    drivers.cloud.requests.clear()
    with pytest.raises(Conflict, match=r"has been taken over by process .* compare .* clocks"):
        drivers.ours.step(operation)
    assert not drivers.cloud.requests


def test_call_that_comes_late_begins_nothing(drivers: TwoDrivers) -> None:
    operation = drivers.submitting_operation()
    drivers.clock.advance(drivers.ours.lifecycle.policy.lease.total_seconds() + 1)

    def take_and_finish(point: str) -> None:
        if point == "create_job asked":
            drivers.cloud.gate = lambda _: None
            taken = drivers.theirs.acquire(drivers.store.operation(operation.id))
            drivers.theirs.step(taken)

    drivers.cloud.gate = take_and_finish
    with pytest.raises(BackendError, match="comes late"):
        drivers.ours.backends["cloud"].call_verb(operation)
    assert drivers.cloud.started[operation.id, 1] == 1


def test_write_whose_reply_was_lost_is_found_and_not_made_twice(
    drivers: TwoDrivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = drivers.submitting_operation()
    result = drivers.ours.make_call(operation)
    write = drivers.store.write

    def lose_reply(written: Sequence[Operation]) -> NoReturn:
        write(written)
        monkeypatch.undo()
        raise StoreError("the connection broke")

    monkeypatch.setattr(drivers.store, "write", lose_reply)
    with pytest.raises(StoreError, match="broke"):
        drivers.ours.store_result(result)
    settled = drivers.ours.store_result(result)
    assert settled.state is State.RUNNING
    assert settled == drivers.store.operation(operation.id)


def test_operation_waits_no_longer_for_a_suspended_one_that_holds_its_backup(
    drivers: TwoDrivers,
) -> None:
    first = drivers.submitting_operation()
    backup = attrs.evolve(BACKUP, id=first.id, scope=drivers.ours.backends["cloud"].scope())
    write_one(drivers.store, attrs.evolve(first, suspended=True, lease=None))
    planned = plan_delete(
        drivers.ours.backends["cloud"],
        backup,
        now=drivers.clock(),
        deadline=timedelta(hours=1),
    )
    refused = drivers.ours.step(drivers.ours.add(planned))
    assert refused.state is State.RELEASED
    assert refused.outcome is not None
    assert refused.outcome.refused
    assert f"karbor-backup resume {first.id}" in refused.outcome.reason


def test_a_cancel_that_comes_during_a_poll_is_kept_and_spoils_no_other(drivers: TwoDrivers) -> None:
    one, other = (drivers.ours.step(drivers.submitting_operation()) for _ in range(2))
    drivers.clock.advance(30)
    drivers.run_during("list_jobs", lambda: drivers.theirs.request_cancel(one.id))
    polled = drivers.ours.poll("cloud", [one, other])
    assert not polled.lost
    assert [each.cancel_requested for each in polled.operations] == [True, False]
    for before, after in zip((one, other), polled.operations, strict=True):
        assert before.amount != after.amount
        assert drivers.store.operation(after.id) == after


def test_an_operation_taken_during_a_poll_is_lost_alone(drivers: TwoDrivers) -> None:
    one, other = (drivers.ours.step(drivers.submitting_operation()) for _ in range(2))

    def steal() -> None:
        drivers.clock.advance(50)
        drivers.theirs.acquire(drivers.store.operation(one.id))

    drivers.clock.advance(20)
    drivers.run_during("list_jobs", steal)
    polled = drivers.ours.poll("cloud", [one, other])
    assert isinstance(polled.lost[one.id], Conflict)
    assert [each.id for each in polled.operations] == [other.id]


def test_an_operation_taken_during_a_call_is_not_written_any_more(drivers: TwoDrivers) -> None:
    operation = drivers.submitting_operation()

    def steal() -> None:
        drivers.clock.advance(3600)
        drivers.theirs.acquire(drivers.store.operation(operation.id))

    drivers.run_during("create_job", steal)
    with pytest.raises(Conflict):
        drivers.ours.step(operation)
    assert drivers.store.operation(operation.id).owner == drivers.theirs.owner


def test_only_a_free_operation_can_be_acquired(drivers: TwoDrivers) -> None:
    operation = drivers.submitting_operation()
    with pytest.raises(Conflict, match=f"is driven by process {os.getpid()} on "):
        drivers.theirs.acquire(operation)
    free = drivers.ours.release_lease(operation)
    assert drivers.theirs.acquire(free).owner == drivers.theirs.owner


def test_operation_is_released_although_a_cancel_was_written_meanwhile(
    drivers: TwoDrivers,
) -> None:
    operation = drivers.submitting_operation()
    drivers.theirs.request_cancel(operation.id)
    free = drivers.ours.release_lease(operation)
    assert (free.owner, free.cancel_requested) == ("", True)


def test_lease_of_another_process_is_not_released(drivers: TwoDrivers) -> None:
    operation = drivers.submitting_operation()
    drivers.clock.advance(3600)
    drivers.theirs.acquire(operation)
    with pytest.raises(Conflict):
        drivers.ours.release_lease(operation)


def test_a_renewed_lease_keeps_an_operation(drivers: TwoDrivers) -> None:
    seen = drivers.submitting_operation()
    drivers.clock.advance(3600)
    drivers.store.renew_lease(drivers.ours.owner, drivers.clock() + timedelta(minutes=1))
    with pytest.raises(Conflict):
        drivers.theirs.acquire(seen)


@pytest.mark.parametrize("back", [timedelta(hours=1), timedelta(days=1), timedelta(days=400)])
def test_operation_of_a_lost_owner_is_taken_after_the_clock_was_set_back(
    drivers: TwoDrivers, back: timedelta
) -> None:
    operation = drivers.submitting_operation()
    drivers.clock.now -= back
    taken = drivers.theirs.acquire(drivers.store.operation(operation.id))
    assert taken.deadline == operation.deadline - back
    begun = drivers.theirs.step(taken)
    drivers.clock.advance(60)
    (ended,) = drivers.theirs.poll("cloud", [begun]).operations
    assert ended.outcome is not None
    assert ended.outcome.result is Result.SUCCEEDED


def test_a_cancel_of_what_has_ended_changes_nothing(drivers: TwoDrivers) -> None:
    operation = drivers.ours.request_cancel(drivers.submitting_operation().id)
    polled = drivers.ours.poll("cloud", [operation]).operations[0]
    drivers.clock.advance(60)
    (ended,) = drivers.ours.poll("cloud", [polled]).operations
    assert ended.outcome is not None
    assert ended.outcome.result is Result.CANCELLED
    assert drivers.theirs.request_cancel(ended.id) == ended


def test_operation_of_an_unconfigured_backend_is_reported(drivers: TwoDrivers) -> None:
    stray = attrs.evolve(drivers.submitting_operation(), backend="gone")
    with pytest.raises(UnknownBackend, match=r"'gone'.*there are: cloud"):
        drivers.ours.acquire(stray)


def test_work_that_never_ends_can_be_abandoned_and_its_backup_is_free(drivers: TwoDrivers) -> None:
    drivers.cloud.faults.plan("create_job", StallJob())
    drivers.cloud.heeds_cancel = False
    operation = drivers.ours.step(drivers.submitting_operation())
    drivers.clock.advance(2 * 3600)
    (suspended,) = drivers.ours.poll("cloud", [drivers.ours.step(operation)]).operations
    assert suspended.suspended
    abandoned = drivers.theirs.abandon(suspended.id)
    assert abandoned.state is State.RELEASED
    assert abandoned.outcome is not None
    assert abandoned.outcome.leftovers
    assert drivers.cloud.jobs(), "nothing was asked of the service"
    other = attrs.evolve(drivers.submitting_operation(), backup=backup_made_by(suspended))
    assert other.backup_id == suspended.id
    assert write_one(drivers.store, other).phase == 1


def test_only_a_suspended_operation_can_be_abandoned(drivers: TwoDrivers) -> None:
    operation = drivers.submitting_operation()
    with pytest.raises(InvalidInput, match="submitting, not suspended"):
        drivers.ours.abandon(operation.id)


def bound_driver(drivers: TwoDrivers, host: str) -> Driver:
    """Make a process on a host to which the cloud's work is bound."""
    backend = Backend.from_plugin("cloud", FakeBackend({"host": host}, cloud=drivers.cloud))
    return Driver(drivers.store, {"cloud": backend}, clock=drivers.clock)


def begin_on_host(drivers: TwoDrivers, host: str) -> Operation:
    """Begin a protect on a host, whose process ends then."""
    drivers.ours = bound_driver(drivers, host)
    return drivers.ours.release_lease(drivers.ours.step(drivers.submitting_operation()))


def test_operation_is_bound_to_its_host_before_the_first_call(drivers: TwoDrivers) -> None:
    drivers.ours = bound_driver(drivers, "one")
    assert drivers.submitting_operation().place == Place("here on one", "one")
    assert not drivers.cloud.requests


def test_another_host_is_told_where_the_work_is(drivers: TwoDrivers) -> None:
    operation = begin_on_host(drivers, "one")
    with pytest.raises(WrongPlace, match=f"its work is on host one.*resume {operation.id}"):
        bound_driver(drivers, "two").acquire(operation)
    assert bound_driver(drivers, "one").acquire(operation).fence == operation.fence + 1


def test_host_that_cannot_tell_its_place_is_another_one(drivers: TwoDrivers) -> None:
    operation = begin_on_host(drivers, "one")
    backend = Backend.from_plugin("cloud", Placeless({}, cloud=drivers.cloud))
    with pytest.raises(WrongPlace, match="on host one"):
        Driver(drivers.store, {"cloud": backend}, clock=drivers.clock).acquire(operation)


class Placeless(FakeBackend):
    """Cannot begin any work here."""

    error: KarborBackupError = BackendError("the disk is full")

    @hookimpl
    def place(self) -> NoReturn:
        raise self.error


def test_operation_that_cannot_be_begun_here_is_refused(drivers: TwoDrivers) -> None:
    backend = Backend.from_plugin("cloud", Placeless({}, cloud=drivers.cloud))
    drivers.ours = Driver(drivers.store, {"cloud": backend}, clock=drivers.clock)
    operation = drivers.submitting_operation()
    assert operation.state is State.RELEASED
    assert operation.outcome is not None
    assert (operation.outcome.refused, operation.outcome.reason) == (True, "the disk is full")


def test_place_that_cannot_be_told_now_is_asked_for_again(
    drivers: TwoDrivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Placeless, "error", Transient("not mounted yet"))
    backend = Backend.from_plugin("cloud", Placeless({}, cloud=drivers.cloud))
    drivers.ours = Driver(drivers.store, {"cloud": backend}, clock=drivers.clock)
    operation = drivers.submitting_operation()
    assert operation.state is State.PLANNED
    assert operation.retry.last_error == "not mounted yet"
    drivers.clock.advance(2 * 3600)
    ended = drivers.ours.step(operation)
    assert ended.outcome is not None
    assert "by its deadline" in ended.outcome.reason


def test_operation_whose_host_is_gone_can_be_abandoned(drivers: TwoDrivers) -> None:
    operation = begin_on_host(drivers, "one")
    with pytest.raises(InvalidInput, match="not suspended"):
        bound_driver(drivers, "one").abandon(operation.id)
    abandoned = bound_driver(drivers, "two").abandon(operation.id)
    assert abandoned.state is State.RELEASED
    assert abandoned.outcome is not None
    assert abandoned.outcome.reason == "it was given up: its work is on host one"
    assert abandoned.outcome.leftovers[0].kind == "work outside"


def test_operation_that_another_host_drives_cannot_be_abandoned(drivers: TwoDrivers) -> None:
    drivers.ours = bound_driver(drivers, "one")
    operation = drivers.submitting_operation()
    with pytest.raises(Conflict, match="cancel it instead"):
        bound_driver(drivers, "two").abandon(operation.id)


def backup_made_by(operation: Operation) -> Backup:
    return Backup(
        id=operation.id,
        resource=operation.resource,
        backend="fake",
        scope=operation.scope,
        handle={},
        storage="here",
        created_at=operation.created_at,
    )


class CannotPollOne(FakeBackend):
    """Raises what no contract allows when it is asked for a certain operation."""

    faulty = ""

    @hookimpl
    def poll(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        if any(operation.id == self.faulty for operation in operations):
            raise KeyError("size")
        return super().poll(operations)


def test_an_operation_that_its_backend_cannot_poll_holds_up_no_other() -> None:
    clock, store = ManualClock(), MemoryStore()
    cloud = FakeCloud("here", clock=clock, service_seconds=1)
    plugin = CannotPollOne({}, cloud=cloud)
    driver = Driver(store, {"cloud": Backend.from_plugin("cloud", plugin)}, clock=clock)
    running = []
    for number in range(5):
        volume = Resource("OS::Cinder::Volume", f"v{number}")
        cloud.add_resource(volume, b"x")
        planned = plan_protect(
            driver.backends["cloud"],
            volume,
            {"backup_name": "n"},
            now=clock(),
            deadline=timedelta(hours=1),
        )
        running.append(driver.step(driver.step(driver.add(planned))))
    plugin.faulty = running[2].id
    clock.advance(60)
    polled = driver.poll("cloud", running)
    assert polled.error is None
    held_up = [each for each in polled.operations if each.state is State.RUNNING]
    assert [each.id for each in held_up] == [plugin.faulty]
    assert "KeyError: 'size'" in held_up[0].retry.last_error
