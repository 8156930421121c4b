"""Group commit: writes of several threads share a transaction, and so one wait for the disk.

The cost of a durable write is mostly the wait for the disk. SQLite lets one transaction write at a
time, so the writes that arrive while another one waits for the disk have to wait anyway: they then
share a transaction. A writer waits only for writers that have already announced themselves.

A thread of its own for all writes was measured, and takes a fifth more processor time per operation
with eight callers: each write changes threads twice.
"""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Generic, TypeVar

import attrs

C = TypeVar("C")
T = TypeVar("T")


@attrs.define(eq=False)
class _PendingWrite(Generic[C]):
    """A write of one thread.

    Attributes:
        action: makes the write on a connection.
        answer: what the action returned.
        error: what the action raised, or why its transaction was not committed.
        finished: whether the write has been committed or has failed.
        is_leader: whether its thread is to make the pending writes, this one included.
        woken: set when the write is finished or its thread is the leader.
    """

    action: Callable[[C], Any]
    answer: Any = None
    error: Exception | None = None
    finished: bool = False
    is_leader: bool = False
    woken: threading.Event = attrs.field(factory=threading.Event)


class GroupCommit(Generic[C]):
    """Runs writes of several threads in shared transactions.

    One of the threads is the leader: it makes all pending writes in one transaction, and then
    passes the lead to the first of the writes that have arrived in the meantime.

    Args:
        transaction: opens a transaction that is committed on exit, and rolled back on an exception.
        refusal: the exception of a write that is refused; it does not affect the other writes.
    """

    def __init__(
        self,
        transaction: Callable[[], AbstractContextManager[C]],
        refusal: type[Exception],
    ) -> None:
        self._transaction = transaction
        self._refusal = refusal
        self._lock = threading.Lock()
        self._waiting: list[_PendingWrite[C]] = []
        self._has_leader = False
        self._expects_others = False

    def run(self, action: Callable[[C], T]) -> T:
        """Make a write; it is committed on return.

        The action may be called more than once; only the last call takes effect.

        Raises:
            Exception: the refusal, or why the transaction was not committed; then nothing was
                written.
        """
        mine: _PendingWrite[C] = _PendingWrite(action)
        with self._lock:
            self._waiting.append(mine)
            mine.is_leader, self._has_leader = not self._has_leader, True
        try:
            if not mine.is_leader:
                mine.woken.wait()
            if mine.is_leader:
                self._run_as_leader()
        finally:
            self._hand_over(mine)
        if mine.error is not None:
            raise mine.error
        answer: T = mine.answer
        return answer

    def _run_as_leader(self) -> None:
        if self._expects_others:
            # The threads whose writes have just been made may write again at once: include those
            # writes.
            time.sleep(0)
        with self._lock:
            group, self._waiting = self._waiting, []
        self._expects_others = len(group) > 1
        try:
            self._commit_group(group)
        finally:
            # After an interrupt in between, the writes of the other threads are still to be made.
            with self._lock:
                self._waiting[:0] = [each for each in group if not each.finished]
            for each in group:
                if each.finished:
                    each.woken.set()

    def _hand_over(self, mine: _PendingWrite[C]) -> None:
        """Pass the lead on, and remove the write of a thread that was interrupted."""
        with self._lock:
            if mine in self._waiting:
                self._waiting.remove(mine)
            if not mine.is_leader:
                return
            heir = next(iter(self._waiting), None)
            self._has_leader = heir is not None
            if heir is not None:
                heir.is_leader = True
                heir.woken.set()

    def _commit_group(self, group: list[_PendingWrite[C]]) -> None:
        """Make writes in one transaction; after a refusal, repeat it without the refused write."""
        refused: _PendingWrite[C] | None = None
        try:
            with self._transaction() as connection:
                for each in group:
                    try:
                        each.answer = each.action(connection)
                    except self._refusal:
                        refused = each
                        raise
        except Exception as error:  # noqa: BLE001 - it is raised in the threads whose writes these are
            failed = group if refused is None else [refused]
            for each in failed:
                each.error, each.finished = error, True
            if others := [each for each in group if not each.finished]:
                self._commit_group(others)
            return
        for each in group:
            each.finished = True
