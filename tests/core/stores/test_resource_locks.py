"""Locks on shared resources: side by side or alone, in turn, and all of them or none."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import attrs
import pytest
import sqlalchemy as sa

from karbor_backup_core import (
    BackupBusy,
    Operation,
    ResourceBusy,
    Retry,
    SharedResource,
    State,
    Store,
    UnknownOperation,
)
from karbor_backup_core.stores.common import write_one
from karbor_backup_core.stores.sql import SQLStore
from tests.core.stores.factories import (
    delete_operation,
    ended_operation,
    make_backup,
    released_operation,
    submitting_operation,
)
from tests.support.strategies import EARLY, lease, operation

DISK = SharedResource("disk")
DISK_ALONE = SharedResource("disk", exclusive=True)
TAPE = SharedResource("tape")
TAPE_ALONE = SharedResource("tape", exclusive=True)


def add(store: Store, id_: str, *shared: SharedResource, age: int = 0) -> Operation:
    """Add an operation that uses shared resources, submitted so many seconds later."""
    at = EARLY + timedelta(seconds=age)
    return store.add(operation(id=id_, shared_resources=shared, created_at=at))


def begin(store: Store, of: Operation) -> Operation:
    """Write an operation's first phase."""
    return write_one(store, submitting_operation(of))


def wait(store: Store, of: Operation) -> Operation:
    """Let an operation wait for what it shares; another one must keep it from that."""
    with pytest.raises(ResourceBusy):
        begin(store, of)
    return write_one(store, attrs.evolve(of, retry=Retry(lock_pending=True)))


def end(store: Store, of: Operation) -> Operation:
    """Write an operation as released."""
    return write_one(store, released_operation(ended_operation(of)))


def test_shared_locks_go_side_by_side(store: Store) -> None:
    for id_ in ("op-1", "op-2", "op-3"):
        assert begin(store, add(store, id_, DISK)).phase == 1


@pytest.mark.parametrize(
    ("first", "second"), [(DISK_ALONE, DISK), (DISK, DISK_ALONE), (DISK_ALONE, DISK_ALONE)]
)
def test_exclusive_lock_excludes_others_until_the_release(
    store: Store, first: SharedResource, second: SharedResource
) -> None:
    holder, other = add(store, "op-1", first), add(store, "op-2", second)
    holder = begin(store, holder)
    holder = write_one(store, attrs.evolve(holder, state=State.RUNNING))
    with pytest.raises(ResourceBusy, match="disk is in use by operation op-1") as refused:
        begin(store, other)
    assert (refused.value.holder, refused.value.pending) == ("op-1", False)
    assert store.operation("op-2") == other
    holder = write_one(store, ended_operation(holder))
    with pytest.raises(ResourceBusy):
        begin(store, other)
    write_one(store, released_operation(holder))
    assert begin(store, other).version == 2


def test_locks_on_other_resources_do_not_matter(store: Store) -> None:
    begin(store, add(store, "op-1", DISK_ALONE))
    begin(store, add(store, "op-2", TAPE_ALONE))
    begin(store, add(store, "op-3"))


def test_all_resources_are_locked_or_none(store: Store) -> None:
    begin(store, add(store, "op-1", TAPE))
    both = add(store, "op-2", DISK_ALONE, TAPE_ALONE)
    with pytest.raises(ResourceBusy, match="tape"):
        begin(store, both)
    begin(store, add(store, "op-3", DISK_ALONE))


def test_refused_lock_leaves_the_backup_to_others(store: Store) -> None:
    begin(store, add(store, "op-1", DISK_ALONE))
    with pytest.raises(ResourceBusy):
        store.add(
            submitting_operation(
                attrs.evolve(delete_operation("d-1", make_backup()), shared_resources=(DISK,))
            )
        )
    with pytest.raises(UnknownOperation):
        store.operation("d-1")
    begin(store, store.add(delete_operation("d-2", make_backup())))


def test_locked_backup_is_told_before_a_shared_resource(store: Store) -> None:
    one, other = (
        store.add(
            attrs.evolve(delete_operation(id_, make_backup()), shared_resources=(DISK_ALONE,))
        )
        for id_ in ("d-1", "d-2")
    )
    begin(store, one)
    with pytest.raises(BackupBusy):
        begin(store, other)


@pytest.mark.parametrize("waits_for", [DISK, DISK_ALONE])
def test_waiting_operation_is_not_overtaken_by_later_ones(
    store: Store, waits_for: SharedResource
) -> None:
    earlier = add(store, "op-0", DISK)
    holder = begin(store, add(store, "op-1", DISK_ALONE, age=1))
    waiting = wait(store, add(store, "op-2", waits_for, age=2))
    later = add(store, "op-3", DISK_ALONE, age=3)
    end(store, holder)
    with pytest.raises(ResourceBusy, match="operation op-2 waits for disk") as refused:
        begin(store, later)
    assert (refused.value.holder, refused.value.pending) == ("op-2", True)
    earlier = begin(store, earlier)
    end(store, earlier)
    waiting = begin(store, waiting)
    end(store, waiting)
    begin(store, later)


def test_waiting_exclusive_lock_bars_later_shared_ones(store: Store) -> None:
    holder = begin(store, add(store, "op-1", DISK))
    waiting = wait(store, add(store, "op-2", DISK_ALONE, age=1))
    later = wait(store, add(store, "op-3", DISK, age=2))
    end(store, holder)
    with pytest.raises(ResourceBusy):
        begin(store, later)
    end(store, begin(store, waiting))
    begin(store, later)


def test_waiting_shared_locks_bar_no_shared_one(store: Store) -> None:
    holder = begin(store, add(store, "op-1", DISK_ALONE))
    wait(store, add(store, "op-2", DISK, age=1))
    end(store, holder)
    begin(store, add(store, "op-3", DISK, age=2))


def test_operations_that_wait_crosswise_are_served_in_turn(store: Store) -> None:
    disk, tape = begin(store, add(store, "op-1", DISK)), begin(store, add(store, "op-2", TAPE))
    first = wait(store, add(store, "op-3", DISK_ALONE, TAPE, age=1))
    second = wait(store, add(store, "op-4", DISK, TAPE_ALONE, age=2))
    end(store, disk)
    end(store, tape)
    with pytest.raises(ResourceBusy, match="op-3"):
        begin(store, second)
    end(store, begin(store, first))
    begin(store, second)


@pytest.mark.parametrize(
    "gives_up", [released_operation, lambda of: attrs.evolve(of, retry=Retry())]
)
def test_operation_that_waits_no_more_bars_nobody(store: Store, gives_up: object) -> None:
    assert callable(gives_up)
    holder = begin(store, add(store, "op-1", DISK))
    waiting = wait(store, add(store, "op-2", DISK_ALONE, age=1))
    write_one(store, gives_up(waiting))
    begin(store, add(store, "op-3", DISK, age=2))
    end(store, holder)


def test_waiting_operation_that_is_taken_over_keeps_its_turn(store: Store) -> None:
    begin(store, add(store, "op-1", DISK))
    waiting = wait(store, add(store, "op-2", DISK_ALONE, age=1))
    store.take_over(attrs.evolve(waiting, lease=lease("me")), waiting)
    with pytest.raises(ResourceBusy, match="op-2 waits"):
        begin(store, add(store, "op-3", DISK, age=2))


def test_operation_that_is_taken_over_keeps_its_locks(store: Store) -> None:
    holder = begin(store, add(store, "op-1", DISK, age=2))
    wait(store, add(store, "op-2", DISK_ALONE))
    store.take_over(attrs.evolve(holder, lease=lease("me")), holder)
    with pytest.raises(ResourceBusy):
        begin(store, add(store, "op-3", DISK_ALONE, age=3))


def test_of_many_writes_each_is_made_or_refused_by_its_locks(store: Store) -> None:
    there = [add(store, f"op-{number}", DISK_ALONE) for number in range(3)]
    there.append(add(store, "op-4", TAPE))
    stored = store.write([submitting_operation(each) for each in there])
    refused = [id_ for id_, each in stored.items() if isinstance(each, ResourceBusy)]
    assert refused == ["op-1", "op-2"]


def test_of_many_threads_one_gets_an_exclusive_lock(store: Store) -> None:
    threads = 8
    there = [add(store, f"op-{number}", DISK_ALONE, TAPE) for number in range(threads)]

    def attempt(of: Operation) -> bool:
        try:
            return bool(begin(store, of))
        except ResourceBusy:
            return False

    with ThreadPoolExecutor(threads) as pool:
        assert sum(pool.map(attempt, there)) == 1
    assert sum(each.phase for each in store.operations()) == 1


@pytest.mark.parametrize(("shared", "first", "later", "last"), [((), 0, 0, 0), ((DISK,), 5, 0, 1)])
def test_only_operations_that_share_cost_statements_for_that(
    sqlite_url: str, shared: tuple[SharedResource, ...], first: int, later: int, last: int
) -> None:
    store, made = SQLStore(sqlite_url), list[str]()
    sa.event.listen(store._engine, "before_cursor_execute", lambda *told: made.append(told[2]))

    def count() -> int:
        found = sum("resource" in statement for statement in made)
        made.clear()
        return found

    going_on = begin(store, add(store, "op-1", *shared))
    assert count() == first
    going_on = write_one(store, attrs.evolve(going_on, state=State.RUNNING))
    assert count() == later
    write_one(store, released_operation(going_on))
    assert count() == last
    store.close()
