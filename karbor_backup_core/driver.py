"""Drives operations one call at a time, without threads and without waiting.

Whoever owns a driver decides when to call it: the runner from its threads, a test from a loop
that turns the clock.
"""

import os
import uuid
from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from karbor_backup_core.backend import Backend
from karbor_backup_core.clock import Clock, system_clock
from karbor_backup_core.errors import (
    BackupBusy,
    Conflict,
    InvalidInput,
    KarborBackupError,
    UnknownBackend,
)
from karbor_backup_core.lifecycle import Answer, Call, Lifecycle, next_call
from karbor_backup_core.model import Operation
from karbor_backup_core.planning import check_scope
from karbor_backup_core.stores.base import Store

_FRESH: Final = 0.9
"""A lease of which this share is left is not renewed with a write."""


def process_name() -> str:
    """Name this process so that no other one is ever named alike: host, pid and a random part."""
    return f"{os.uname().nodename}:{os.getpid()}:{uuid.uuid4().hex[:8]}"


@attrs.frozen
class Polled:
    """What a poll of one backend brought.

    Attributes:
        operations: the operations as stored now; those that another process took are missing.
        lost: per id of an operation that could not be stored, why.
        error: why the backend could not be asked, if so.
    """

    operations: Sequence[Operation]
    lost: Mapping[str, KarborBackupError]
    error: KarborBackupError | None = None


@attrs.frozen
class Driver:
    """Makes the calls that the lifecycle asks for, and stores what becomes of them.

    Attributes:
        store: remembers the operations.
        backends: by configured name.
        lifecycle: the rules.
        clock: tells the time.
        owner: the name under which operations are held.
    """

    store: Store
    backends: Mapping[str, Backend]
    lifecycle: Lifecycle = attrs.field(factory=Lifecycle)
    clock: Clock = system_clock
    owner: str = attrs.field(factory=process_name)

    def backend_of(self, operation: Operation) -> Backend:
        """Answer the backend that an operation belongs to.

        Raises:
            UnknownBackend: it is not configured here.
        """
        try:
            return self.backends[operation.backend]
        except KeyError:
            known = ", ".join(sorted(self.backends)) or "none"
            raise UnknownBackend(
                f"operation {operation.id} belongs to backend {operation.backend!r}, "
                f"which is not configured here (configured: {known})"
            ) from None

    def add(self, operation: Operation) -> Operation:
        """Store a planned operation as this driver's own."""
        added = self.store.add(self._leased(operation))
        self.backend_of(added).changed(added, None)
        return added

    def take(self, operation: Operation) -> Operation:
        """Take over an operation that nobody drives; a parked one goes on.

        Raises:
            Conflict: another process drives it.
            UnknownBackend: its backend is not configured here.
            WrongScope: its backend looks at another endpoint or project now.
            BackendError: the backend cannot tell its scope now.
        """
        now = self.clock()
        backend = self.backend_of(operation)
        held = operation.owner not in ("", self.owner) and operation.lease_until is not None
        if held and now < operation.lease_until:  # type: ignore[operator]
            raise Conflict(
                f"operation {operation.id} is driven by {operation.owner}, "
                f"and is free at {operation.lease_until:%Y-%m-%d %H:%M:%S} UTC unless that goes on"
            )
        check_scope(f"operation {operation.id}", operation.scope, backend, backend.scope())
        resumed = self.lifecycle.resumed(operation, now)
        taken = self.lifecycle.taken_over(resumed, self.owner, now)
        stored = self.store.take(taken, operation)
        backend.changed(stored, operation)
        return stored

    def let_go(self, operation: Operation) -> Operation:
        """Give an operation up, so that another process can take it at once.

        Raises:
            Conflict: another process has taken it already.
            StoreError: the store could not be reached; the lease will run out.
        """
        while True:
            try:
                return self.store.write(attrs.evolve(operation, owner="", lease_until=None))
            except Conflict:
                operation = self.store.operation(operation.id)
                if operation.owner != self.owner:
                    raise

    def request_cancel(self, operation_id: str) -> Operation:
        """Ask for an operation to be cancelled, whoever drives it.

        Raises:
            UnknownOperation: there is no such operation.
        """
        while True:
            before = self.store.operation(operation_id)
            after = self.lifecycle.cancelling(before)
            if after is before:
                return before
            try:
                stored = self.store.write(after)
            except Conflict:
                continue
            self._tell(stored, before)
            return stored

    def forget(self, operation_id: str) -> Operation:
        """Give a parked operation up for good: nothing is asked of its backend any more.

        It is for work that never ends. What it left stays named in its outcome, for a person to
        remove; its backup is free for other operations.

        Raises:
            UnknownOperation: there is no such operation.
            InvalidInput: it is not parked.
            Conflict: somebody else has written it just now.
        """
        before = self.store.operation(operation_id)
        if not before.parked:
            raise InvalidInput(
                f"operation {operation_id} is {before.state}, not parked: "
                "only what was let go of with something left behind can be forgotten"
            )
        stored = self.store.write(self.lifecycle.forgotten(before))
        self._tell(stored, before)
        return stored

    def step(self, operation: Operation) -> Operation:
        """Make the one call that comes next, other than a poll, and store what becomes of it.

        Raises:
            Conflict: another process took the operation.
            StoreError: the result could not be stored; the operation must be taken anew.
        """
        call = next_call(operation, self.clock())
        return self._settle(operation, call, self._answer(operation, call))

    def poll(self, name: str, operations: Sequence[Operation]) -> Polled:
        """Ask one backend about these operations of its, and store what is new."""
        error: KarborBackupError | None = None
        answers: Mapping[str, Answer]
        try:
            answers = self.backends[name].poll(operations)
        except KarborBackupError as caught:
            error = caught
            answers = dict.fromkeys((operation.id for operation in operations), caught)
        now = self.clock()
        changed: dict[str, Operation] = {}
        for operation in operations:
            after = self.lifecycle.apply(operation, Call.POLL, answers[operation.id], now)
            if after is not operation:
                changed[operation.id] = self._leased(after)
        stored = self._write_all(operations, changed) if changed else {}
        settled: list[Operation] = []
        lost: dict[str, KarborBackupError] = {}
        for operation in operations:
            written = stored.get(operation.id, operation)
            try:
                settled.append(self._polled(operation, written, answers[operation.id]))
            except KarborBackupError as caught:
                lost[operation.id] = caught
        return Polled(settled, lost, error)

    def _answer(self, operation: Operation, call: Call) -> Answer:
        backend = self.backend_of(operation)
        try:
            match call:
                case Call.VERB:
                    return backend.call(operation, self.store.own_paths())
                case Call.CANCEL:
                    return backend.cancel(operation)
                case Call.RELEASE:
                    return backend.release(operation)
                case _:
                    return None
        except KarborBackupError as error:
            return error

    def _settle(self, operation: Operation, call: Call, answer: Answer) -> Operation:
        """Store what becomes of an operation, also when a cancel was written in between."""
        before = operation
        while True:
            now = self.clock()
            after = self.lifecycle.apply(before, call, answer, now)
            if after is before:
                return before
            try:
                stored = self._write(before, self._leased(after))
            except BackupBusy as busy:
                stored = self.store.write(self.lifecycle.held_up(before, busy.holder, now))
            except Conflict:
                current = self.store.operation(operation.id)
                if current.owner != self.owner or current.state is not before.state:
                    raise
                before = current
                continue
            self.backend_of(stored).changed(stored, before)
            return stored

    def _polled(
        self, before: Operation, stored: Operation | KarborBackupError, answer: Answer
    ) -> Operation:
        """Answer an operation as stored after a poll, also when somebody wrote in between."""
        if isinstance(stored, Conflict | BackupBusy):
            return self._settle(before, Call.POLL, answer)
        if isinstance(stored, KarborBackupError):
            raise stored
        if stored is not before:
            self.backend_of(stored).changed(stored, before)
        return stored

    def _tell(self, operation: Operation, before: Operation) -> None:
        """Tell the extensions of a change that needs no backend, where there is one."""
        if operation.backend in self.backends:
            self.backends[operation.backend].changed(operation, before)

    def _leased(self, operation: Operation) -> Operation:
        """Hold an operation for this driver; one that is held for long enough stays as it is."""
        lease = self.lifecycle.policy.lease
        now = self.clock()
        held_until = operation.lease_until if operation.owner == self.owner else None
        enough = held_until is not None and held_until - now > lease * _FRESH
        if operation.finished or enough:
            return operation
        return attrs.evolve(operation, owner=self.owner, lease_until=now + lease)

    def _write(self, before: Operation, after: Operation) -> Operation:
        return self.store.end(after) if _ends(before, after) else self.store.write(after)

    def _write_all(
        self, before: Sequence[Operation], changed: Mapping[str, Operation]
    ) -> Mapping[str, Operation | KarborBackupError]:
        written: list[Operation] = []
        ended: list[Operation] = []
        for operation in before:
            if operation.id in changed:
                after = changed[operation.id]
                (ended if _ends(operation, after) else written).append(after)
        return self.store.write_all(written, ended)


def _ends(before: Operation, after: Operation) -> bool:
    return before.outcome is None and after.outcome is not None
