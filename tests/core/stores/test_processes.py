"""Several processes on one database: races, and a kill in the middle."""

import contextlib
import itertools
import multiprocessing
import signal
from collections.abc import Callable
from multiprocessing.context import ForkServerContext

import pytest

from karbor_backup_core.stores.common import write_one
from karbor_backup_core.stores.sql import SQLStore
from tests.core.stores import workers
from tests.core.stores.factories import make_backup, submitting_operation
from tests.support.strategies import operation

PROCESSES = 3
ROUNDS = 40
LONG = 100.0

OpenStore = Callable[[str], SQLStore]


@pytest.fixture(scope="module")
def processes() -> ForkServerContext:
    """Return a context that forks processes from one that has imported what they need."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.core.stores.workers"])
    return context


def run_concurrently(
    processes: ForkServerContext,
    work: Callable[..., None],
    url: str,
    rounds: int = ROUNDS,
) -> list[object]:
    """Let several processes do the same at the same time; answer what each of them won."""
    start = processes.Barrier(PROCESSES, timeout=LONG)
    receivers, running = [], []
    for number in range(PROCESSES):
        receiver, sender = processes.Pipe(duplex=False)
        process = processes.Process(target=work, args=(url, f"p{number}", start, rounds, sender))
        process.start()
        sender.close()  # so that its end is noticed
        running.append(process)
        receivers.append(receiver)
    try:
        return [receiver.recv() for receiver in receivers]
    except BaseException:
        for each in running:
            each.kill()
        raise
    finally:
        for each in running:
            each.join()


def test_every_version_is_written_by_exactly_one_process(
    processes: ForkServerContext, open_store: OpenStore, sql_url: str
) -> None:
    store = open_store(sql_url)
    store.add(operation())
    won = run_concurrently(processes, workers.write_each_version, sql_url)
    assert sorted(itertools.chain(*won)) == list(range(1, ROUNDS + 1))
    assert store.operation("op-1").version == ROUNDS + 1


def test_every_backup_is_held_by_exactly_one_process(
    processes: ForkServerContext, open_store: OpenStore, sql_url: str
) -> None:
    won = run_concurrently(processes, workers.begin_on_each_backup, sql_url)
    assert sorted(itertools.chain(*won)) == list(range(1, ROUNDS + 1))
    assert sum(each.phase for each in open_store(sql_url).operations()) == ROUNDS


def test_several_processes_can_make_the_tables_at_once(
    processes: ForkServerContext, open_store: OpenStore, sql_url: str
) -> None:
    assert (
        run_concurrently(processes, workers.open_concurrently, sql_url, rounds=5) == [5] * PROCESSES
    )
    assert len(open_store(sql_url).backups()) == 5 * PROCESSES


def test_several_processes_can_bring_the_tables_to_this_version_at_once(
    processes: ForkServerContext, open_store: OpenStore, sql_url: str
) -> None:
    with open_store(sql_url)._engine.begin() as connection:
        for table in ("resource_locks", "shared_resources"):
            connection.exec_driver_sql(f"DROP TABLE {table}")
        connection.exec_driver_sql("UPDATE schema_version SET version = 2")
    won = run_concurrently(processes, workers.open_concurrently, sql_url, rounds=5)
    assert won == [5] * PROCESSES
    with open_store(sql_url)._engine.begin() as connection:
        assert connection.exec_driver_sql("SELECT version FROM schema_version").scalar() == 3


def test_an_exclusive_lock_is_held_by_one_process_at_a_time(
    processes: ForkServerContext, sql_url: str
) -> None:
    won = run_concurrently(processes, workers.take_turns, sql_url, rounds=10)
    assert won == [10] * PROCESSES


def test_a_kill_at_any_step_of_an_end_leaves_all_of_it_or_nothing(
    processes: ForkServerContext, open_store: OpenStore, sql_url: str
) -> None:
    store = open_store(sql_url)
    left = []
    for step in itertools.count(1):
        operation_id = f"op-{step}"
        write_one(store, submitting_operation(store.add(operation(id=operation_id))))
        worker = processes.Process(target=workers.end_and_crash, args=(sql_url, operation_id, step))
        worker.start()
        worker.join()
        done = store.operation(operation_id).outcome is not None
        assert done == (make_backup(operation_id) in store.backups())
        left.append(done)
        if worker.exitcode == 0:
            break
        assert worker.exitcode == -signal.SIGKILL
        write_one(store, store.operation(operation_id))  # the dead one holds no lock
    assert left[0] is False
    assert left[-1] is True
    assert len(left) > 5


@pytest.mark.parametrize("begun_before", [1, 2, 3, 5, 8])
def test_a_kill_at_any_time_leaves_all_of_an_end_or_nothing(
    processes: ForkServerContext, open_store: OpenStore, sqlite_url: str, begun_before: int
) -> None:
    store = open_store(sqlite_url)
    ids = [f"op-{number:02}" for number in range(20)]
    for operation_id in ids:
        write_one(store, submitting_operation(store.add(operation(id=operation_id))))
    receiver, sender = processes.Pipe(duplex=False)
    worker = processes.Process(target=workers.end_sequentially, args=(sqlite_url, ids, sender))
    worker.start()
    sender.close()
    for _ in range(begun_before):
        receiver.recv()
    worker.kill()
    worker.join()
    finished = [each.id for each in store.operations() if each.outcome is not None]
    assert finished == [each.id for each in store.backups()]
    assert finished[: begun_before - 1] == ids[: begun_before - 1]


@pytest.mark.parametrize("told_before", [1, 4, 9, 20])
def test_grouped_writes_are_durable_when_they_return(
    processes: ForkServerContext, open_store: OpenStore, sqlite_url: str, told_before: int
) -> None:
    store = open_store(sqlite_url)
    ids = [f"op-{number:02}" for number in range(40)]
    for operation_id in ids:
        write_one(store, submitting_operation(store.add(operation(id=operation_id))))
    receiver, sender = processes.Pipe(duplex=False)
    worker = processes.Process(target=workers.end_in_threads, args=(sqlite_url, ids, sender))
    worker.start()
    sender.close()
    told = [receiver.recv() for _ in range(told_before)]
    worker.kill()
    worker.join()
    with contextlib.suppress(EOFError):
        while True:
            told.append(receiver.recv())
    finished = {each.id for each in store.operations() if each.outcome is not None}
    assert finished == {each.id for each in store.backups()}
    assert finished.issuperset(told)


def test_operation_is_readable_by_another_process(open_store: OpenStore, sqlite_url: str) -> None:
    first = open_store(sqlite_url)
    written = write_one(first, submitting_operation(first.add(operation())))
    first.close()
    second = open_store(sqlite_url)
    assert second.operation("op-1") == written
