"""What every store does, on each of them."""

import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import attrs
import pytest

from karbor_backup_core import (
    Amount,
    BackupBusy,
    Check,
    Conflict,
    Operation,
    Outcome,
    Result,
    Retry,
    State,
    Store,
    UnknownBackup,
    UnknownOperation,
    Verb,
)
from karbor_backup_core.stores.common import write_one
from tests.core.stores.factories import (
    LATER,
    delete_operation,
    ended_operation,
    make_backup,
    released_operation,
    submitting_operation,
)
from tests.support.owner_processes import LEASE, living_process
from tests.support.strategies import EARLY, lease, operation

THREADS = 8


def test_an_operation_added_is_read_back_with_version_one(store: Store) -> None:
    added = store.add(operation(version=7))
    assert added == operation(version=1)
    assert store.operation("op-1") == added


def test_a_second_operation_of_the_same_id_is_refused(store: Store) -> None:
    first = store.add(operation())
    with pytest.raises(Conflict, match="op-1"):
        store.add(operation(scope="elsewhere"))
    assert store.operation("op-1") == first


def test_a_write_counts_the_version_up(store: Store) -> None:
    added = store.add(operation())
    written = write_one(store, submitting_operation(added))
    assert written == attrs.evolve(submitting_operation(added), version=2)
    assert store.operation("op-1") == written


def test_a_write_over_an_older_version_is_refused(store: Store) -> None:
    added = store.add(operation())
    written = write_one(store, attrs.evolve(added, amount=Amount(unit="bytes")))
    with pytest.raises(Conflict, match="op-1"):
        write_one(store, attrs.evolve(added, amount=Amount(unit="percent")))
    assert store.operation("op-1") == written


def test_of_many_writes_each_is_made_or_refused_by_itself(store: Store) -> None:
    there = [
        store.add(delete_operation(f"op-{number}", make_backup(f"b-{number}")))
        for number in range(6)
    ]
    store.put_backup(make_backup("b-1"))
    holder = write_one(
        store, submitting_operation(store.add(delete_operation("holder", make_backup("b-3"))))
    )
    write_one(store, there[2])
    written = [submitting_operation(each) for each in (there[0], there[2], there[3])]
    over = [
        ended_operation(submitting_operation(each))
        for each in (there[1], operation(id="strange", version=1))
    ]
    stored = store.write([*written, *over])
    assert stored["op-0"] == store.operation("op-0") == attrs.evolve(written[0], version=2)
    assert stored["op-1"] == store.operation("op-1") == attrs.evolve(over[0], version=2)
    assert store.backups() == []
    assert isinstance(stored["op-2"], Conflict)
    assert isinstance(busy := stored["op-3"], BackupBusy)
    assert busy.holder == holder.id
    assert isinstance(stored["strange"], UnknownOperation)
    assert store.operation("op-3") == there[3]
    assert store.write([]) == {}


def test_of_many_writes_that_need_one_backup_the_first_by_id_is_made(store: Store) -> None:
    there = [store.add(delete_operation(id_, make_backup())) for id_ in ("op-2", "op-1")]
    stored = store.write([submitting_operation(each) for each in there])
    assert isinstance(stored["op-1"], Operation)
    assert isinstance(stored["op-2"], BackupBusy)


def test_hundreds_of_writes_are_made_at_once(store: Store) -> None:
    there = [store.add(operation(id=f"op-{number}")) for number in range(450)]
    stored = store.write([attrs.evolve(each, amount=Amount(unit="bytes")) for each in there])
    assert stored == {each.id: each for each in store.operations()}
    assert {each.version for each in store.operations()} == {2}


@pytest.mark.parametrize("change", [submitting_operation, ended_operation])
def test_an_operation_that_was_never_added_cannot_be_written(
    store: Store, change: Callable[[Operation], Operation]
) -> None:
    with pytest.raises(UnknownOperation, match="op-1"):
        write_one(store, change(operation(version=1)))


def test_unknown_ids_are_refused_by_name(store: Store) -> None:
    with pytest.raises(UnknownOperation, match="op-x"):
        store.operation("op-x")
    with pytest.raises(UnknownBackup, match="b-x"):
        store.backup("b-x")


def test_ids_are_case_sensitive(store: Store) -> None:
    store.add(operation(id="op-a"))
    store.add(operation(id="OP-A"))
    assert {each.id for each in store.operations()} == {"op-a", "OP-A"}


def test_operations_come_oldest_first_and_without_the_released_if_asked(store: Store) -> None:
    store.add(operation(id="op-0", created_at=LATER))
    store.add(operation(id="op-2"))
    store.add(operation(id="op-1"))
    write_one(store, released_operation(store.operation("op-2")))
    assert [each.id for each in store.operations()] == ["op-1", "op-2", "op-0"]
    assert [each.id for each in store.operations(unreleased=True)] == ["op-1", "op-0"]


def test_a_backup_is_held_from_the_first_phase_until_the_release(store: Store) -> None:
    first, second = (
        store.add(delete_operation("d-1", make_backup())),
        store.add(delete_operation("d-2", make_backup())),
    )
    first = write_one(store, submitting_operation(first))
    first = write_one(store, attrs.evolve(first, state=State.RUNNING))
    with pytest.raises(BackupBusy, match="b-1") as refused:
        write_one(store, submitting_operation(second))
    assert refused.value.holder == "d-1"
    assert store.operation("d-2") == second
    first = write_one(store, ended_operation(first, Result.FAILED))
    with pytest.raises(BackupBusy):
        write_one(store, submitting_operation(second))
    write_one(store, released_operation(first))
    assert write_one(store, submitting_operation(second)).version == 2


def test_an_operation_that_waits_for_a_backup_can_be_written_all_the_same(store: Store) -> None:
    write_one(store, submitting_operation(store.add(delete_operation("d-1", make_backup()))))
    waiting = write_one(
        store,
        attrs.evolve(store.add(delete_operation("d-2", make_backup())), retry=Retry(failures=1)),
    )
    assert write_one(store, released_operation(waiting)).version == 3
    with pytest.raises(BackupBusy) as refused:
        write_one(store, submitting_operation(store.add(delete_operation("d-3", make_backup()))))
    assert refused.value.holder == "d-1"


def test_an_operation_added_in_a_phase_holds_its_backup(store: Store) -> None:
    store.add(submitting_operation(delete_operation("d-1", make_backup())))
    with pytest.raises(BackupBusy):
        store.add(submitting_operation(delete_operation("d-2", make_backup())))
    with pytest.raises(UnknownOperation):
        store.operation("d-2")


def test_operations_on_different_backups_do_not_wait(store: Store) -> None:
    for number in ("1", "2"):
        write_one(
            store,
            submitting_operation(
                store.add(delete_operation(f"d-{number}", make_backup(f"b-{number}")))
            ),
        )


def test_a_protect_that_ends_leaves_its_backup(store: Store) -> None:
    running = write_one(store, submitting_operation(store.add(operation(id="b-1"))))
    kept = write_one(store, ended_operation(running, backup=make_backup()))
    assert kept.version == 3
    assert store.operation("b-1") == kept
    assert store.backup("b-1") == make_backup()


def test_an_end_that_is_refused_has_no_effect(store: Store) -> None:
    added = store.add(operation(id="b-1"))
    write_one(store, submitting_operation(added))
    with pytest.raises(Conflict):
        write_one(store, ended_operation(added, backup=make_backup()))
    assert store.backups() == []


@pytest.mark.parametrize("state", [State.RELEASING, State.RELEASED])
def test_only_the_write_that_brings_the_outcome_changes_backups(store: Store, state: State) -> None:
    running = write_one(store, submitting_operation(store.add(operation(id="b-1"))))
    ended = write_one(store, ended_operation(running, backup=make_backup()))
    store.put_backup(make_backup(storage="another shelf"))
    write_one(store, attrs.evolve(ended, state=state))
    assert store.backups() == [make_backup(storage="another shelf")]


def test_operation_that_ends_as_released_leaves_its_backup(store: Store) -> None:
    running = write_one(store, submitting_operation(store.add(operation(id="b-1"))))
    write_one(store, released_operation(ended_operation(running, backup=make_backup())))
    assert store.backups() == [make_backup()]
    again = delete_operation("d-1", make_backup())
    assert write_one(store, submitting_operation(store.add(again))).version == 2


def test_operation_added_with_an_outcome_changes_no_backup(store: Store) -> None:
    added = store.add(ended_operation(operation(id="b-1"), backup=make_backup()))
    write_one(store, released_operation(added))
    assert store.backups() == []


@pytest.mark.parametrize(
    ("result", "left"), [(Result.SUCCEEDED, 0), (Result.FAILED, 1), (Result.CANCELLED, 1)]
)
def test_only_a_delete_that_succeeded_removes_the_backup(
    store: Store, result: Result, left: int
) -> None:
    store.put_backup(make_backup())
    store.put_backup(make_backup("b-2"))
    write_one(
        store,
        ended_operation(
            submitting_operation(store.add(delete_operation("d-1", make_backup()))), result
        ),
    )
    assert len(store.backups()) == left + 1
    assert store.backup("b-2") == make_backup("b-2")


@pytest.mark.parametrize("there", [True, False])
def test_a_verify_renews_the_backup_only_if_it_is_there(store: Store, *, there: bool) -> None:
    checked = make_backup(checks=(Check("record exists", verified=True),))
    if there:
        store.put_backup(make_backup())
    verify = store.add(operation(verb=Verb.VERIFY, backup=make_backup()))
    write_one(store, ended_operation(submitting_operation(verify), backup=checked))
    assert store.backups() == ([checked] if there else [])


def test_only_what_is_released_and_old_is_purged_and_backups_stay(store: Store) -> None:
    ages = {"old": EARLY, "young": LATER}
    for age, created_at in ages.items():
        going_on = write_one(
            store, submitting_operation(store.add(operation(id=age, created_at=created_at)))
        )
        write_one(store, ended_operation(going_on, backup=make_backup(going_on.id)))
        planned = operation(id=f"{age}-released", created_at=created_at)
        last = write_one(
            store,
            ended_operation(
                submitting_operation(store.add(planned)), backup=make_backup(planned.id)
            ),
        )
        write_one(store, released_operation(last))
    assert store.purge(LATER) == 1
    assert [each.id for each in store.operations()] == ["old", "young", "young-released"]
    assert len(store.backups()) == 4
    assert store.purge(LATER) == 0


def test_a_backup_kept_again_is_replaced(store: Store) -> None:
    store.put_backup(make_backup())
    store.put_backup(make_backup(storage="another shelf", created_at=LATER))
    assert store.backups() == [make_backup(storage="another shelf", created_at=LATER)]


def test_backups_come_oldest_first(store: Store) -> None:
    store.put_backup(make_backup("b-3", created_at=LATER))
    store.put_backup(make_backup("b-2", created_at=LATER + timedelta(microseconds=1)))
    store.put_backup(make_backup("b-1", created_at=LATER + timedelta(seconds=1)))
    assert [each.id for each in store.backups()] == ["b-3", "b-2", "b-1"]


@pytest.mark.parametrize(
    ("changes", "asked"),
    [
        ({"cancel_requested": True}, True),
        ({}, False),
        ({"cancel_requested": True, "cancel_sent": True}, False),
        ({"cancel_requested": True, "outcome": Outcome(Result.FAILED)}, False),
        ({"cancel_requested": True, "lease": lease("another")}, False),
    ],
)
def test_cancel_requests_returns_those_not_sent_yet(
    store: Store, changes: dict[str, object], *, asked: bool
) -> None:
    write_one(store, attrs.evolve(store.add(operation(lease=lease("me"))), **changes))
    assert list(store.cancel_requests("me")) == (["op-1"] if asked else [])


def test_cancel_request_of_what_is_purged_is_gone_with_it(store: Store) -> None:
    mine = store.add(operation(lease=lease("me")))
    write_one(store, attrs.evolve(mine, cancel_requested=True, state=State.RELEASED))
    assert store.purge(LATER) == 1
    assert list(store.cancel_requests("me")) == []


def test_a_renewed_lease_leaves_the_version(store: Store) -> None:
    mine = store.add(operation(id="op-1", lease=lease("me")))
    theirs = store.add(operation(id="op-2", lease=lease("they")))
    store.renew_lease("me", LATER)
    assert store.operation("op-1") == attrs.evolve(mine, lease=lease("me", LATER))
    assert [each.lease for each in store.operations()] == [lease("me", LATER), lease("they")]
    assert store.operation("op-2") == theirs
    assert write_one(store, mine).lease == lease("me")


@pytest.mark.parametrize("owner", ["", "they"])
def test_operation_is_acquired_only_under_the_lease_that_was_read(store: Store, owner: str) -> None:
    seen = store.add(operation(lease=lease(owner)))
    taken = store.take_over(attrs.evolve(seen, lease=lease("me", LATER)), seen)
    assert taken.owner == "me"
    assert store.operation("op-1") == taken
    with pytest.raises(Conflict):
        store.take_over(attrs.evolve(seen, lease=lease("another")), seen)


def test_an_operation_whose_lease_was_renewed_is_not_taken(store: Store) -> None:
    seen = store.add(operation(lease=lease("they")))
    store.renew_lease("they", LATER)
    with pytest.raises(Conflict, match="lease"):
        store.take_over(attrs.evolve(seen, lease=lease("me")), seen)
    assert store.operation("op-1").owner == "they"


def test_lease_of_no_name_keeps_nobody_from_what_nobody_drives(store: Store) -> None:
    seen = store.add(operation())
    store.renew_lease("", LATER)
    assert store.take_over(attrs.evolve(seen, lease=lease("me")), seen).owner == "me"


def test_unowned_operations_are_the_unreleased_ones_without_a_living_owner(store: Store) -> None:
    now, length = LATER, timedelta(minutes=1)
    owners = {
        "free": ("", now),
        "expired": ("gone", now),
        "ahead": ("before-a-step", now + 3 * length),
        "alive": ("alive", now + length),
        "late": ("late", now),
        "early": ("early", now + length),
    }
    for id_, (owner, until) in owners.items():
        store.add(operation(id=id_, lease=lease(owner, until)))
    write_one(store, released_operation(store.add(operation(id="released"))))
    store.add(operation(id="suspended", state=State.RELEASING, suspended=True))
    store.renew_lease("late", now + length)
    store.renew_lease("early", now)
    found = store.unowned(now, length)
    assert [each.id for each in found] == ["ahead", "early", "expired", "free", "suspended"]
    assert all(each == store.operation(each.id) for each in found)


def test_operation_of_a_killed_process_is_unowned_at_once(store: Store) -> None:
    with living_process() as (process, owner):
        store.add(operation(lease=lease(owner)))
        store.renew_lease(owner, EARLY + LEASE)
        assert store.unowned(EARLY, LEASE) == []
    assert process.poll() is not None
    assert [each.id for each in store.unowned(EARLY, LEASE)] == ["op-1"]


@pytest.fixture(autouse=True)
def _frequent_thread_switches() -> Iterator[None]:
    """Let threads take turns so often that a missing lock shows."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def run_in_threads(act: Callable[[int], object], refusal: type[Exception]) -> list[object]:
    """Do this in many threads at the same time; answer what came of it where it was not refused."""
    start = threading.Barrier(THREADS)

    def attempt(number: int) -> object:
        start.wait()
        try:
            return act(number)
        except refusal:
            return None

    with ThreadPoolExecutor(THREADS) as pool:
        return [each for each in pool.map(attempt, range(THREADS)) if each is not None]


def test_of_many_threads_that_write_one_version_one_wins(store: Store) -> None:
    added = store.add(operation())
    for _ in range(20):
        won = run_in_threads(
            lambda number, added=added: write_one(
                store, attrs.evolve(added, retry=Retry(failures=number))
            ),
            Conflict,
        )
        assert won == [store.operation("op-1")]
        added = store.operation("op-1")


def test_of_many_threads_that_begin_on_one_backup_one_wins(store: Store) -> None:
    waiting = [
        store.add(delete_operation(f"d-{number}", make_backup())) for number in range(THREADS)
    ]
    won = run_in_threads(
        lambda number: write_one(store, submitting_operation(waiting[number])), BackupBusy
    )
    assert len(won) == 1
    assert [each for each in store.operations() if each.phase] == won


def test_of_many_threads_that_keep_one_backup_none_is_refused(store: Store) -> None:
    run_in_threads(
        lambda number: store.put_backup(make_backup(storage=f"shelf {number}")), KeyError
    )
    assert [each.id for each in store.backups()] == ["b-1"]
