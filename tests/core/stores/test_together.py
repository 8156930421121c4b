"""Writes of several threads in one transaction: none returns early, none spoils another."""

import contextlib
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from karbor_backup_core.stores.together import Together

WRITERS = 8


class Refusal(Exception):
    """What a write raises that cannot be made."""


class Ledger:
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

    def holds(self, what: str) -> bool:
        """Say whether a write has taken effect."""
        return any(what in written for written in self.kept)


class Desk:
    """Threads that write to a ledger together."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.together = Together(self.ledger.transaction, Refusal)
        self.pool = ThreadPoolExecutor(WRITERS)

    def write(self, what: str) -> str:
        """Write, and make sure that it has taken effect."""

        def action(written: list[str]) -> str:
            written.append(what)
            return what.upper()

        answer = self.together.run(action)
        assert self.ledger.holds(what)
        return answer

    def while_busy(
        self, writes: list[Callable[[], object]], busy: Callable[[], None] = lambda: None
    ) -> list[Future[object]]:
        """Let these writes come while another one is being written; answer that one's first."""
        begun, go_on = threading.Event(), threading.Event()

        def slow(written: list[str]) -> None:
            begun.set()
            go_on.wait()
            busy()
            written.append("slow")

        futures: list[Future[object]] = [self.pool.submit(self.together.run, slow)]
        begun.wait()
        futures += [self.pool.submit(write) for write in writes]
        while len(self.together._waiting) < len(writes):
            time.sleep(0)
        go_on.set()
        for future in futures:
            future.exception()
        return futures


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    yield desk
    desk.pool.shutdown()


def names(count: int) -> list[str]:
    return [f"write-{number}" for number in range(count)]


def writes_of(desk: Desk, wanted: list[str]) -> list[Callable[[], object]]:
    return [lambda what=each: desk.write(what) for each in wanted]


def refused(written: list[str]) -> None:
    written.append("half of it")
    raise Refusal


def test_a_write_alone_waits_for_nobody(desk: Desk) -> None:
    assert desk.write("one") == "ONE"
    assert desk.ledger.kept == [["one"]]


def test_writes_that_come_meanwhile_share_one_transaction(desk: Desk) -> None:
    wanted = names(WRITERS - 1)
    futures = desk.while_busy(writes_of(desk, wanted))
    assert [future.result() for future in futures[1:]] == [each.upper() for each in wanted]
    assert [sorted(written) for written in desk.ledger.kept] == [["slow"], wanted]


def test_a_write_that_is_refused_spoils_no_other(desk: Desk) -> None:
    wanted = names(3)
    writes = [*writes_of(desk, wanted), *[lambda: desk.together.run(refused)] * 2]
    futures = desk.while_busy(writes)
    assert [future.result() for future in futures[1:4]] == [each.upper() for each in wanted]
    assert [type(future.exception()) for future in futures[4:]] == [Refusal] * 2
    assert [sorted(written) for written in desk.ledger.kept] == [["slow"], wanted]


def test_a_transaction_that_fails_is_an_error_of_its_only_write(desk: Desk) -> None:
    desk.ledger.faults.append(OSError("the disk is full"))
    with pytest.raises(OSError, match="disk is full"):
        desk.write("one")
    assert desk.write("two") == "TWO"


def test_a_shared_transaction_that_fails_is_an_error_of_all_its_writes(desk: Desk) -> None:
    def spoiling(written: list[str]) -> None:
        desk.ledger.faults.append(OSError("the disk is full"))
        written.append("spoiling")

    writes = [lambda: desk.together.run(spoiling), *writes_of(desk, names(2))]
    futures = desk.while_busy(writes)
    assert [str(future.exception()) for future in futures] == ["None", *["the disk is full"] * 3]
    assert desk.ledger.kept == [["slow"]]
    assert desk.write("last") == "LAST"


class Interrupt(BaseException):
    """Comes as Ctrl-C does: from outside, anywhere."""


def test_an_interrupt_in_the_leading_thread_leaves_the_other_writes_to_be_made(
    desk: Desk,
) -> None:
    def interrupt() -> None:
        raise Interrupt

    wanted = names(3)
    futures = desk.while_busy(writes_of(desk, wanted), busy=interrupt)
    assert isinstance(futures[0].exception(), Interrupt)
    assert [future.result() for future in futures[1:]] == [each.upper() for each in wanted]
    assert not desk.ledger.holds("slow")
    assert desk.write("last") == "LAST"


def test_an_interrupt_while_writing_for_others_leaves_theirs_to_be_made(desk: Desk) -> None:
    met = []

    def interrupted_once(written: list[str]) -> None:
        if not met:
            met.append(True)
            raise Interrupt
        written.append("again")

    wanted = names(3)
    writes = [lambda: desk.together.run(interrupted_once), *writes_of(desk, wanted)]
    errors = [future.exception() for future in desk.while_busy(writes)]
    assert sum(isinstance(error, Interrupt) for error in errors) == 1, "the thread that led"
    for what, error in zip(wanted, errors[2:], strict=True):
        assert desk.ledger.holds(what) == (error is None)
    assert desk.write("last") == "LAST"


def test_many_threads_at_once_lose_nothing(desk: Desk) -> None:
    wanted = names(2000)
    answers = list(desk.pool.map(desk.write, wanted))
    assert answers == [each.upper() for each in wanted]
    assert sorted(itertools.chain(*desk.ledger.kept)) == sorted(wanted)
