"""Writes of several threads in one transaction: none returns early, none spoils another."""

import contextlib
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from karbor_backup_core.stores._sql.group_commit import GroupCommit

WRITERS = 8


class RefusedWrite(Exception):
    """What a write raises that cannot be made."""


class FakeDatabase:
    """Keeps what was written in each transaction that took effect.

    Attributes:
        kept: the writes, by transaction.
        faults: what goes wrong with the next commits.
    """

    def __init__(self) -> None:
        self.kept: list[list[str]] = []
        self.faults: list[Exception] = []

    @contextlib.contextmanager
    def transaction(self) -> Iterator[list[str]]:
        """Open a transaction: a list of what is written in it."""
        written: list[str] = []
        yield written
        if self.faults:
            raise self.faults.pop()
        self.kept.append(written)

    def contains(self, what: str) -> bool:
        """Return whether a write has taken effect."""
        return any(what in written for written in self.kept)


class GroupCommitHarness:
    """Threads that write to a ledger together."""

    def __init__(self) -> None:
        self.database = FakeDatabase()
        self.commit = GroupCommit(self.database.transaction, RefusedWrite)
        self.pool = ThreadPoolExecutor(WRITERS)

    def write(self, what: str) -> str:
        """Write, and make sure that it has taken effect."""

        def action(written: list[str]) -> str:
            written.append(what)
            return what.upper()

        answer = self.commit.run(action)
        assert self.database.contains(what)
        return answer

    def write_while_busy(
        self, writes: list[Callable[[], object]], busy: Callable[[], None] = lambda: None
    ) -> list[Future[object]]:
        """Let these writes come while another one is being written; answer that one's first."""
        begun, go_on = threading.Event(), threading.Event()

        def slow(written: list[str]) -> None:
            begun.set()
            go_on.wait()
            busy()
            written.append("slow")

        futures: list[Future[object]] = [self.pool.submit(self.commit.run, slow)]
        begun.wait()
        futures += [self.pool.submit(write) for write in writes]
        while len(self.commit._waiting) < len(writes):
            time.sleep(0)
        go_on.set()
        for future in futures:
            future.exception()
        return futures


@pytest.fixture
def harness() -> Iterator[GroupCommitHarness]:
    harness = GroupCommitHarness()
    yield harness
    harness.pool.shutdown()


def write_names(count: int) -> list[str]:
    return [f"write-{number}" for number in range(count)]


def create_writes(harness: GroupCommitHarness, wanted: list[str]) -> list[Callable[[], object]]:
    return [lambda what=each: harness.write(what) for each in wanted]


def refused_write(written: list[str]) -> None:
    written.append("half of it")
    raise RefusedWrite


def test_a_write_alone_waits_for_nobody(harness: GroupCommitHarness) -> None:
    assert harness.write("one") == "ONE"
    assert harness.database.kept == [["one"]]


def test_writes_that_come_meanwhile_share_one_transaction(harness: GroupCommitHarness) -> None:
    wanted = write_names(WRITERS - 1)
    futures = harness.write_while_busy(create_writes(harness, wanted))
    assert [future.result() for future in futures[1:]] == [each.upper() for each in wanted]
    assert [sorted(written) for written in harness.database.kept] == [["slow"], wanted]


def test_a_write_that_is_refused_spoils_no_other(harness: GroupCommitHarness) -> None:
    wanted = write_names(3)
    writes = [*create_writes(harness, wanted), *[lambda: harness.commit.run(refused_write)] * 2]
    futures = harness.write_while_busy(writes)
    assert [future.result() for future in futures[1:4]] == [each.upper() for each in wanted]
    assert [type(future.exception()) for future in futures[4:]] == [RefusedWrite] * 2
    assert [sorted(written) for written in harness.database.kept] == [["slow"], wanted]


def test_a_transaction_that_fails_is_an_error_of_its_only_write(
    harness: GroupCommitHarness,
) -> None:
    harness.database.faults.append(OSError("the disk is full"))
    with pytest.raises(OSError, match="disk is full"):
        harness.write("one")
    assert harness.write("two") == "TWO"


def test_a_shared_transaction_that_fails_is_an_error_of_all_its_writes(
    harness: GroupCommitHarness,
) -> None:
    def spoiling(written: list[str]) -> None:
        harness.database.faults.append(OSError("the disk is full"))
        written.append("spoiling")

    writes = [lambda: harness.commit.run(spoiling), *create_writes(harness, write_names(2))]
    futures = harness.write_while_busy(writes)
    assert [str(future.exception()) for future in futures] == ["None", *["the disk is full"] * 3]
    assert harness.database.kept == [["slow"]]
    assert harness.write("last") == "LAST"


class SimulatedInterrupt(BaseException):
    """Comes as Ctrl-C does: from outside, anywhere."""


def test_an_interrupt_in_the_leading_thread_leaves_the_other_writes_to_be_made(
    harness: GroupCommitHarness,
) -> None:
    def interrupt() -> None:
        raise SimulatedInterrupt

    wanted = write_names(3)
    futures = harness.write_while_busy(create_writes(harness, wanted), busy=interrupt)
    assert isinstance(futures[0].exception(), SimulatedInterrupt)
    assert [future.result() for future in futures[1:]] == [each.upper() for each in wanted]
    assert not harness.database.contains("slow")
    assert harness.write("last") == "LAST"


def test_an_interrupt_while_writing_for_others_leaves_theirs_to_be_made(
    harness: GroupCommitHarness,
) -> None:
    met = []

    def interrupted_once(written: list[str]) -> None:
        if not met:
            met.append(True)
            raise SimulatedInterrupt
        written.append("again")

    wanted = write_names(3)
    writes = [lambda: harness.commit.run(interrupted_once), *create_writes(harness, wanted)]
    errors = [future.exception() for future in harness.write_while_busy(writes)]
    assert sum(isinstance(error, SimulatedInterrupt) for error in errors) == 1, (
        "the thread that led"
    )
    for what, error in zip(wanted, errors[2:], strict=True):
        assert harness.database.contains(what) == (error is None)
    assert harness.write("last") == "LAST"


def test_many_threads_at_once_lose_nothing(harness: GroupCommitHarness) -> None:
    wanted = write_names(2000)
    answers = list(harness.pool.map(harness.write, wanted))
    assert answers == [each.upper() for each in wanted]
    assert sorted(itertools.chain(*harness.database.kept)) == sorted(wanted)
