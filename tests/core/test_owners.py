"""Whether the owner of an operation lives, as other processes see it, and by which clock."""

import os
from datetime import datetime, timedelta

import pytest

from karbor_backup_core import Driver, Lease, ManualClock, MemoryStore, Operation
from karbor_backup_core.owners import describe_owner, new_owner_name
from tests.support import strategies
from tests.support.owner_processes import LEASE, living_process

CLOCK = ManualClock()
HOST, BOOT, NAMESPACE, PID, STARTED, SECONDS = range(6)


def leased_operation(owner: str, ahead: timedelta = LEASE) -> Operation:
    return strategies.operation(lease=Lease(owner, CLOCK() + ahead))


def is_free(operation: Operation) -> bool:
    """Return the verdict of a driver whose own leases are of another length."""
    return Driver(MemoryStore(), {}, clock=CLOCK).is_free(operation)


def replace_field(name: str, field: int, value: str) -> str:
    fields = name.split(":")
    fields[field] = value
    return ":".join(fields)


def test_operation_of_a_living_process_is_not_free_until_its_lease_ends() -> None:
    with living_process() as (_, name):
        assert not is_free(leased_operation(name))
        assert is_free(leased_operation(name, timedelta()))


def test_operation_of_a_process_that_was_killed_is_free_at_once() -> None:
    with living_process() as (owner, name):
        owner.kill()
        owner.wait()
        assert is_free(leased_operation(name))


def test_operation_of_a_zombie_is_free_at_once() -> None:
    with living_process() as (owner, name):
        owner.kill()
        os.waitid(os.P_PID, owner.pid, os.WEXITED | os.WNOWAIT)
        assert is_free(leased_operation(name))


def test_operation_of_a_process_whose_id_another_one_has_now_is_free() -> None:
    mine = new_owner_name(LEASE)
    assert not is_free(leased_operation(mine))
    assert is_free(leased_operation(replace_field(mine, STARTED, "1")))


@pytest.mark.parametrize("field", [HOST, BOOT, NAMESPACE])
def test_process_of_another_place_is_never_taken_for_dead(field: int) -> None:
    with living_process() as (owner, name):
        owner.kill()
        owner.wait()
        assert not is_free(leased_operation(replace_field(name, field, "another")))


def test_lease_counts_by_the_length_that_its_owner_asks_for() -> None:
    long = new_owner_name(timedelta(hours=1))
    assert not is_free(leased_operation(long, timedelta(hours=2)))
    assert is_free(leased_operation(long, timedelta(hours=2, seconds=1)))


@pytest.mark.parametrize("owner", ["somebody", ":::::::", "a:b:c:x:e:1:r", "a:b:c:1:e:nan:r"])
def test_name_of_another_form_is_held_to_the_lease_of_who_asks(owner: str) -> None:
    lease = Driver(MemoryStore(), {}).lifecycle.policy.lease
    assert not is_free(leased_operation(owner, lease))
    assert is_free(leased_operation(owner, 2 * lease + timedelta(seconds=1)))


def test_no_two_names_are_alike_and_a_person_can_find_the_process() -> None:
    names = {new_owner_name(LEASE) for _ in range(100)}
    assert len(names) == 100
    assert {describe_owner(name) for name in names} == {
        f"process {os.getpid()} on {os.uname().nodename}"
    }
    assert describe_owner("somebody") == "somebody"


class StoreWithClock(MemoryStore):
    """A store with a clock of its own."""

    def now(self) -> datetime | None:
        return CLOCK()


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(days=2), -timedelta(days=1)])
def test_process_whose_clock_is_wrong_takes_over_nothing(ahead: timedelta) -> None:
    store = StoreWithClock()
    wrong = Driver(store, {}, clock=lambda: CLOCK() + ahead)
    with living_process() as (_, name):
        operation = store.add(leased_operation(name))
        store.renew_lease(name, CLOCK() + LEASE)
        assert not wrong.is_free(store.operation(operation.id))
        store.renew_lease(name, CLOCK())
        assert wrong.is_free(store.operation(operation.id))
