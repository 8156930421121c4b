"""A real PostgreSQL and a real full disk fail a runner; its operations go on afterwards."""

import contextlib
import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import attrs
import pytest
import sqlalchemy as sa

from karbor_backup_core import (
    Backend,
    Conflict,
    ManualClock,
    Operation,
    Policy,
    Resource,
    Result,
    Runner,
    State,
    Store,
    StoreError,
)
from karbor_backup_core.stores.common import write_one
from karbor_backup_core.stores.sql import SQLStore
from karbor_backup_fake import FakeBackend, FakeCloud
from tests.support.disks import fill_disk
from tests.support.postgresql import PostgreSql, postgresql
from tests.support.strategies import operation

QUICK = timedelta(milliseconds=1)
POLICY = Policy(
    poll_first=QUICK,
    poll_limit=QUICK * 20,
    retry_first=QUICK,
    retry_limit=QUICK * 100,
    unknown_gap=QUICK,
    lease=timedelta(minutes=10),
)
COUNT = 20
SERVICE_SECONDS = 60
LONG = 300.0
SOON = 0.05


@pytest.fixture(scope="module")
def server() -> Iterator[PostgreSql]:
    with postgresql() as server:
        yield server


@pytest.fixture
def server_store(server: PostgreSql) -> Iterator[SQLStore]:
    """Yield a store with empty tables on a server that a test may stop."""
    with server.connect() as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    store = SQLStore(server.url)
    yield store
    store.close()
    server.start()


@attrs.define
class OutageHarness:
    """A fake cloud with volumes, whose work goes on as its clock is turned.

    Attributes:
        clock: the cloud's.
        cloud: the fake cloud.
        volumes: what it has to protect.
    """

    clock: ManualClock = attrs.field(factory=ManualClock)
    cloud: FakeCloud = attrs.field(init=False)
    volumes: list[Resource] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.cloud = FakeCloud("here", clock=self.clock, service_seconds=SERVICE_SECONDS)
        ids = [f"v{number}" for number in range(COUNT)]
        self.volumes = [
            self.cloud.add_resource(Resource("OS::Cinder::Volume", id_), b"x") for id_ in ids
        ]

    def create_runner(
        self,
        store: Store,
        policy: Policy = POLICY,
        on_lost: Callable[[Operation, BaseException], None] | None = None,
    ) -> Runner:
        backend = Backend.from_plugin("cloud", FakeBackend({}, cloud=self.cloud))
        return Runner(store, {"cloud": backend}, policy=policy, on_lost=on_lost)

    def begin_all(self, runner: Runner) -> list[str]:
        """Begin to protect each volume; return the operations' ids."""
        options = {"backup_name": "nightly"}
        return [runner.protect("cloud", each, options).id for each in self.volumes]

    def wait_for_all(self, runner: Runner, ids: list[str]) -> None:
        """Turn the clock until all operations have ended; each must have begun once, and well."""
        for operation_id in ids:
            while True:
                self.clock.advance(SERVICE_SECONDS)
                with contextlib.suppress(StoreError, TimeoutError):
                    seen = runner.wait(operation_id, SOON)
                    break
            assert seen.state is State.RELEASED
            assert seen.outcome is not None
            assert seen.outcome.result is Result.SUCCEEDED, seen.outcome.reason
        assert len(self.cloud.copies()) == COUNT
        assert set(self.cloud.started.values()) == {1}


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGQUIT], ids=["restart", "crash"])
def test_operations_go_on_after_a_restart_of_the_server(
    server: PostgreSql, server_store: SQLStore, signum: signal.Signals
) -> None:
    site, told = OutageHarness(), []
    with site.create_runner(server_store, on_lost=lambda each, _: told.append(each.id)) as runner:
        ids = site.begin_all(runner)
        server.stop(signum)
        site.clock.advance(SERVICE_SECONDS)
        server.start()
        site.wait_for_all(runner, ids)
    assert told == []
    assert len(server_store.backups()) == COUNT


def test_operations_outlive_a_server_that_is_away_for_longer_than_a_lease(
    server: PostgreSql, server_store: SQLStore
) -> None:
    site, told, all_told = OutageHarness(), set[str](), threading.Event()

    def tell(operation: Operation, error: BaseException) -> None:
        assert isinstance(error, StoreError)
        told.add(operation.id)
        if len(told) == COUNT:
            all_told.set()

    short = attrs.evolve(POLICY, lease=timedelta(seconds=1))
    with site.create_runner(server_store, short, tell) as runner:
        ids = site.begin_all(runner)
        server.stop()
        site.clock.advance(SERVICE_SECONDS)
        assert all_told.wait(LONG)
        server.start()
        site.wait_for_all(runner, ids)
    assert told == set(ids)


def _submit_and_wait(url: str, submitted: Connection) -> None:
    """Begin operations in a process, on a cloud of its own, and hold them until it is killed."""
    site, hold = OutageHarness(), threading.Event()
    site.cloud.gate = lambda _: hold.wait()
    runner = site.create_runner(SQLStore(url))
    submitted.send(site.begin_all(runner))
    hold.wait()


@contextlib.contextmanager
def operation_holder(url: str) -> Iterator[tuple[BaseProcess, list[str]]]:
    """Yield a process that holds operations, and their ids; it is killed in the end."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_submit_and_wait, args=(url, sender))
    process.start()
    sender.close()  # so that its end is noticed
    try:
        yield process, receiver.recv()
    finally:
        process.kill()
        process.join()


def restart_after_crash(server: PostgreSql) -> None:
    server.stop(signal.SIGQUIT)
    server.start()


def test_operations_of_a_killed_process_are_taken_over_after_a_crash_of_the_server(
    server: PostgreSql, server_store: SQLStore
) -> None:
    with operation_holder(server.url) as (process, ids):
        process.kill()
        process.join()
        before = {each.id: each.fence for each in server_store.operations()}
        restart_after_crash(server)
        site = OutageHarness()
        with site.create_runner(server_store) as runner:
            for operation_id in ids:
                runner.resume(operation_id)
            site.wait_for_all(runner, ids)
    assert {each.id: each.fence for each in server_store.operations()} == {
        id_: fence + 1 for id_, fence in before.items()
    }


def test_operations_of_a_living_process_are_not_taken_over_after_a_crash_of_the_server(
    server: PostgreSql, server_store: SQLStore
) -> None:
    with operation_holder(server.url) as (_, ids):
        restart_after_crash(server)
        with OutageHarness().create_runner(server_store) as runner:
            for operation_id in ids:
                with pytest.raises(Conflict, match="is driven by process"):
                    runner.resume(operation_id)


_FAIL_TWICE = """
CREATE SEQUENCE failures;
CREATE FUNCTION fail() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF nextval('failures') <= 2 THEN
    RAISE EXCEPTION 'provoked' USING ERRCODE = '{state}';
  END IF;
  RETURN true;
END $$;
ALTER TABLE operations RENAME TO kept_operations;
CREATE VIEW operations AS SELECT * FROM kept_operations WHERE fail();
"""
"""A sequence keeps its value when a transaction is undone, so that it counts the attempts."""


@pytest.mark.parametrize("state", ["40001", "40P01"])
@pytest.mark.parametrize("access", ["read", "write"])
def test_transaction_that_the_server_undoes_is_repeated(
    server: PostgreSql, server_store: SQLStore, state: str, access: str
) -> None:
    added = server_store.add(operation())
    with server.connect() as connection:
        connection.execute(_FAIL_TWICE.format(state=state).encode())
        if access == "read":
            assert server_store.operation(added.id) == added
        else:
            assert write_one(server_store, added).version == added.version + 1
        assert connection.execute("SELECT last_value FROM failures").fetchone() == (3,)


def test_write_that_lost_a_deadlock_is_repeated(server: PostgreSql, server_store: SQLStore) -> None:
    first, second = (server_store.add(operation(id=id_)) for id_ in ("op-1", "op-2"))
    lock = "UPDATE operations SET document = document WHERE id = %s"
    begun = threading.Event()
    # What waits ends before the pool waits for it.
    with (
        ThreadPoolExecutor(1) as pool,
        server.connect() as watcher,
        server.connect() as other,
    ):

        def wait_for_other(*execution: Any) -> None:
            """Let the other wait for the first row before the store waits for the second one.

            Whoever waits looks for a deadlock only once, so that it must be there by then.
            """
            if not begun.is_set() and "op-2" in execution[3].values():
                begun.set()
                while not watcher.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchall():
                    pass

        sa.event.listen(server_store._engine, "before_cursor_execute", wait_for_other)
        # Who is undone is the store.
        other.execute("SET deadlock_timeout = '10min'")
        other.execute("BEGIN")
        other.execute(lock, ["op-2"])
        written = pool.submit(server_store.write, [first, second])
        while not begun.wait(SOON):
            assert not written.done()
        other.execute(lock, ["op-1"])
        other.execute("COMMIT")
        stored = written.result(LONG)
    assert "deadlock detected" in server.log.read_text()
    assert {each.version for each in stored.values()} == {2}
    assert {each.version for each in server_store.operations()} == {2}


@pytest.mark.root
def test_operations_go_on_after_room_is_made_on_a_full_disk(small_disk: Path) -> None:
    site, told, full = OutageHarness(), [], threading.Event()
    store = SQLStore(f"sqlite:///{small_disk}/store.db")

    def tell(_: Operation, error: BaseException) -> None:
        told.append(str(error))
        full.set()

    short = attrs.evolve(POLICY, lease=timedelta(seconds=1))
    with site.create_runner(store, short, tell) as runner:
        ids = site.begin_all(runner)
        ballast = fill_disk(small_disk)
        site.clock.advance(SERVICE_SECONDS)
        assert full.wait(LONG)
        ballast.unlink()
        site.wait_for_all(runner, ids)
    assert all("the disk is full: make room there" in each for each in told)
    assert len(store.backups()) == COUNT
    store.close()
