"""Lets writes of several threads share a transaction, and so one wait for the disk.

What a durable write costs is mostly the wait until the disk has it. SQLite lets one transaction
write at a time, so the writes that come while another is on its way to the disk have to wait for
their turn anyway: they then go together. Nobody waits for company longer than it takes the others
to say that they come.
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
        action: makes it, on a connection.
        answer: what it answered.
        error: what it raised, or what kept its transaction from taking effect.
        finished: it has taken effect, or never will.
        is_leader: its thread is to write what waits, this write included.
        woken: set when it is finished or is the leader.
    """

    action: Callable[[C], Any]
    answer: Any = None
    error: Exception | None = None
    finished: bool = False
    is_leader: bool = False
    woken: threading.Event = attrs.field(factory=threading.Event)


class GroupCommit(Generic[C]):
    """Runs writes in transactions that they share.

    One of the threads leads: it takes all that waits, writes it in one transaction, and hands the
    lead to the first of those that have come in the meantime.

    Args:
        transaction: opens a transaction that takes effect as a whole when it is left without an
            exception.
        refusal: what a write raises that cannot be made as asked; it spoils no other.
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
        """Make a write; when this returns it has taken effect.

        The action may be called more than once; only the last time is of effect.

        Raises:
            Exception: the refusal, or what kept the transaction from taking effect; then nothing
                was written.
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
            # Those whose writes have just been made may write again at once: let them come along.
            time.sleep(0)
        with self._lock:
            group, self._waiting = self._waiting, []
        self._expects_others = len(group) > 1
        try:
            self._commit_group(group)
        finally:
            # An interrupt may have come in between; then the others' writes have yet to be made.
            with self._lock:
                self._waiting[:0] = [each for each in group if not each.finished]
            for each in group:
                if each.finished:
                    each.woken.set()

    def _hand_over(self, mine: _PendingWrite[C]) -> None:
        """Pass the lead on, and leave nothing behind of a thread that was interrupted."""
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
        """Make writes in one transaction; without one that is refused, the others again."""
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
