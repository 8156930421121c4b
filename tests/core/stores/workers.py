"""What the processes do that tests of stores race against each other, or kill."""

import itertools
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier

import attrs
import sqlalchemy as sa

from karbor_backup_core import BackupBusy, Conflict, ResourceBusy, Retry, SharedResource
from karbor_backup_core.stores.common import write_one
from karbor_backup_core.stores.sql import SQLStore
from tests.core.stores.factories import (
    delete_operation,
    ended_operation,
    make_backup,
    released_operation,
    submitting_operation,
)
from tests.support.strategies import lease, operation

_STEPS = (
    (sa.Engine, "before_cursor_execute"),
    (sa.Engine, "after_cursor_execute"),
    (sa.Engine, "commit"),
    (sa.pool.Pool, "reset"),
)


def write_each_version(url: str, name: str, start: Barrier, rounds: int, wins: Connection) -> None:
    """Try to write every version of an operation, at the same time as others; tell which it won."""
    store = SQLStore(url)
    won = []
    for version in range(1, rounds + 1):
        start.wait()
        read = attrs.evolve(store.operation("op-1"), version=version)
        try:
            write_one(store, attrs.evolve(read, lease=lease(name)))
        except Conflict:
            continue
        won.append(version)
    wins.send(won)


def begin_on_each_backup(
    url: str, name: str, start: Barrier, rounds: int, wins: Connection
) -> None:
    """Try to begin on every backup, at the same time as others; tell on which it did."""
    store = SQLStore(url)
    won = []
    for number in range(1, rounds + 1):
        mine = store.add(delete_operation(f"{name}-{number}", make_backup(f"b-{number}")))
        start.wait()
        try:
            write_one(store, submitting_operation(mine))
        except BackupBusy:
            continue
        won.append(number)
    wins.send(won)


def take_turns(url: str, name: str, start: Barrier, rounds: int, done: Connection) -> None:
    """Use a resource alone and beside others, in turn; see that nobody else uses it meanwhile."""
    store = SQLStore(url)
    start.wait()
    for number in range(rounds):
        shared = SharedResource("disk", exclusive=number % 2 == 0)
        planned = store.add(operation(id=f"{name}-{number}", shared_resources=(shared,)))
        begun = None
        while begun is None:
            try:
                begun = write_one(store, submitting_operation(planned))
            except ResourceBusy:
                planned = write_one(store, attrs.evolve(planned, retry=Retry(lock_pending=True)))
        others = [each for each in store.operations(unreleased=True) if each.phase]
        alone = [each.id for each in others if each.shared_resources[0].exclusive]
        assert not alone or [each.id for each in others] == alone == alone[:1], others
        write_one(store, released_operation(begun))
    done.send(rounds)


def open_concurrently(url: str, name: str, start: Barrier, rounds: int, wins: Connection) -> None:
    """Open an empty database at the same time as others, and write to it."""
    start.wait()
    store = SQLStore(url)
    for number in range(rounds):
        store.put_backup(make_backup(f"{name}-{number}"))
    wins.send(rounds)


def end_and_crash(url: str, operation_id: str, fatal_step: int) -> None:
    """End an operation with a backup, but die by SIGKILL at that step of the database's work."""
    store = SQLStore(url)
    running = store.operation(operation_id)
    steps = itertools.count(1)

    def step(*_: object) -> None:
        if next(steps) == fatal_step:
            os.kill(os.getpid(), signal.SIGKILL)

    for target, event in _STEPS:
        sa.event.listen(target, event, step)
    write_one(store, ended_operation(running, backup=make_backup(operation_id)))


def end_sequentially(url: str, ids: list[str], begin: Connection) -> None:
    """End operations as fast as it goes; tell of each before it is begun."""
    store = SQLStore(url)
    for operation_id in ids:
        running = store.operation(operation_id)
        begin.send(operation_id)
        write_one(store, ended_operation(running, backup=make_backup(operation_id)))


def end_in_threads(url: str, ids: list[str], told: Connection) -> None:
    """End operations from several threads at once; tell of each when it is written."""
    store = SQLStore(url)
    telling = threading.Lock()

    def end(operation_id: str) -> None:
        write_one(
            store, ended_operation(store.operation(operation_id), backup=make_backup(operation_id))
        )
        with telling:
            told.send(operation_id)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(end, ids))
