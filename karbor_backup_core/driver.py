"""Drives operations one call at a time, without threads and without waiting.

Whoever owns a driver decides when to call it: the runner from its threads, a test from a loop
that turns the clock.
"""

from collections.abc import Mapping, Sequence

import attrs

from karbor_backup_core.backend import Backend
from karbor_backup_core.clock import Clock, system_clock
from karbor_backup_core.errors import (
    BackupBusy,
    Conflict,
    InvalidInput,
    KarborBackupError,
    StoreError,
    UnknownBackend,
    UnknownOperation,
)
from karbor_backup_core.leases import OwnerLease
from karbor_backup_core.lifecycle import Answer, Call, Lifecycle, next_call
from karbor_backup_core.model import Operation
from karbor_backup_core.owners import describe, is_free
from karbor_backup_core.planning import check_scope
from karbor_backup_core.stores.base import Store
from karbor_backup_core.stores.guard import guarded


@attrs.frozen
class CallResult:
    """What a call brought, before it is stored.

    Attributes:
        operation: the operation as it was before the call.
        call: the call.
        answer: what it brought.
    """

    operation: Operation
    call: Call
    answer: Answer


@attrs.frozen
class Polled:
    """What a poll of one backend brought.

    Attributes:
        operations: the operations as stored now; those that another process took are missing.
        lost: per id of an operation that this process does not hold any more, why.
        unsaved: per id of an operation whose news could not be stored, why; it is among
            ``operations`` as it was before, and to be polled for again.
        error: why the backend could not be asked, if so.
    """

    operations: Sequence[Operation]
    lost: Mapping[str, KarborBackupError]
    unsaved: Mapping[str, StoreError] = attrs.field(factory=dict)
    error: KarborBackupError | None = None


@attrs.frozen
class Driver:
    """Makes the calls that the lifecycle asks for, and stores what becomes of them.

    Before each call that changes something outside, the lease is looked at; with little of it
    left it is renewed, and after its end the operation is taken anew or given up.

    Attributes:
        store: remembers the operations.
        backends: by configured name.
        lifecycle: the rules.
        clock: tells the time.
        lease: under which operations are held.
    """

    store: Store = attrs.field(converter=guarded)
    backends: Mapping[str, Backend]
    lifecycle: Lifecycle = attrs.field(factory=Lifecycle)
    clock: Clock = system_clock
    _owner: str = ""
    lease: OwnerLease = attrs.field(init=False, eq=False, repr=False)

    @lease.default
    def _own_lease(self) -> OwnerLease:
        return OwnerLease(self.store, self.lifecycle.policy.lease, self.clock, self._owner)

    @property
    def owner(self) -> str:
        """The name under which operations are held now."""
        return self.lease.owner

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
        """Store a planned operation as this driver's own.

        It may be repeated after a StoreError: an operation that was stored then is found.

        Raises:
            StoreError: the store cannot be reached.
        """
        if not operation.finished:
            self.lease.require()
        try:
            added = self.store.add(self._owned(operation))
        except Conflict:
            added = self.store.operation(operation.id)
            if not self.lease.was_mine(added.owner):
                raise
        self.backend_of(added).changed(added, None)
        return added

    def take(self, operation: Operation) -> Operation:
        """Take over an operation that nobody drives; a parked one goes on.

        Raises:
            Conflict: another process drives it.
            UnknownBackend: its backend is not configured here.
            WrongScope: its backend looks at another endpoint or project now.
            BackendError: the backend cannot tell its scope now.
            StoreError: the store cannot be reached.
        """
        backend = self.backend_of(operation)
        self.lease.require()
        now = self.lease.now()
        mine = self.lease.was_mine(operation.owner)
        if not mine and not self.is_free(operation):
            raise Conflict(
                f"operation {operation.id} is driven by {describe(operation.owner)}, "
                f"and is free at {operation.lease_until:%Y-%m-%d %H:%M:%S} UTC unless that goes on"
            )
        check_scope(f"operation {operation.id}", operation.scope, backend, backend.scope())
        at = self.clock()
        resumed = self.lifecycle.resumed(self.lifecycle.adjusted(operation, at), at)
        taken = self.lifecycle.taken_over(resumed, self.owner, now)
        # The process's own lease may have been renewed since the operation was read.
        stored = self.store.write(taken) if mine else self.store.take(taken, operation)
        backend.changed(stored, operation)
        return stored

    def is_free(self, operation: Operation) -> bool:
        """Say whether no process drives an operation.

        Raises:
            StoreError: the store cannot be asked for its time.
        """
        return is_free(operation, self.lease.now(), self.lifecycle.policy.lease)

    def let_go(self, operation: Operation) -> Operation:
        """Give an operation up, so that another process can take it at once.

        Raises:
            Conflict: another process has taken it already.
            StoreError: the store could not be reached; the lease will run out.
        """
        while True:
            if not operation.owner:
                return operation
            try:
                return self.store.write(attrs.evolve(operation, owner="", lease_until=None))
            except Conflict:
                operation = self.store.operation(operation.id)
                if operation.owner and not self.lease.was_mine(operation.owner):
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
        return self.settle(self.call(operation))

    def call(self, operation: Operation) -> CallResult:
        """Make the one call that comes next, other than a poll; ``settle`` stores its result.

        Raises:
            Conflict: another process took the operation; no call was made.
            StoreError: the lease could not be renewed; no call was made.
        """
        held = self._held(operation)
        call = next_call(held, self.clock())
        return CallResult(held, call, self._answer(held, call))

    def settle(self, result: CallResult) -> Operation:
        """Store what becomes of an operation, also when a cancel was written in between.

        It may be repeated with the same result until the store takes it: a write that took
        effect although its reply was lost is found, and is not made twice.

        Raises:
            Conflict: another process took the operation.
            StoreError: it could not be stored.
        """
        before = result.operation
        while True:
            now = self.clock()
            after = self.lifecycle.apply(before, result.call, result.answer, now)
            if after is before:
                return before
            try:
                stored = self._write_or_wait(before, self._owned(after))
            except Conflict:
                current = self.store.operation(before.id)
                if not self._is_mine(current, before):
                    raise self._lost(current) from None
                if _is_as_before(current, before):
                    before = current
                    continue
                stored = current
            self.backend_of(stored).changed(stored, before)
            return stored

    def poll(self, name: str, operations: Sequence[Operation]) -> Polled:
        """Ask one backend about these operations of its, and store what is new.

        Raises:
            StoreError: the lease could not be renewed; nothing was asked.
        """
        self.lease.require()
        lost: dict[str, KarborBackupError] = {
            each.id: self._lost(each) for each in operations if not self._may_write(each)
        }
        operations = [each for each in operations if each.id not in lost]
        error: KarborBackupError | None = None
        answers: Mapping[str, Answer]
        try:
            answers = self.backends[name].poll(operations)
        except KarborBackupError as caught:
            error = caught
            answers = dict.fromkeys((operation.id for operation in operations), caught)
        now = self.clock()
        owner = self.owner
        changed: dict[str, Operation] = {}
        for operation in operations:
            after = self.lifecycle.apply(operation, Call.POLL, answers[operation.id], now)
            if after is not operation or operation.owner != owner:
                changed[operation.id] = self._owned(after)
        stored = self._write_all(operations, changed) if changed else {}
        settled: list[Operation] = []
        unsaved: dict[str, StoreError] = {}
        for operation in operations:
            written = stored.get(operation.id, operation)
            try:
                settled.append(self._polled(operation, written, answers[operation.id]))
            except Conflict as caught:
                lost[operation.id] = caught
            except StoreError as caught:
                unsaved[operation.id] = caught
                settled.append(operation)
            except KarborBackupError as caught:
                lost[operation.id] = caught
        return Polled(settled, lost, unsaved, error)

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

    def _held(self, operation: Operation) -> Operation:
        """Return an operation that is held under a lease that is good; take it anew if need be.

        Its version tells whether anybody else has written it since it was read.

        Raises:
            Conflict: another process took it.
            StoreError: it could not be taken anew.
        """
        self.lease.require()
        if operation.owner == self.owner or operation.finished:
            return operation
        if not self._may_write(operation):
            raise self._lost(operation)
        while True:
            try:
                return self.store.write(self._owned(operation))
            except Conflict:
                current = self.store.operation(operation.id)
                if not self._is_mine(current, operation):
                    raise self._lost(current) from None
                if current.owner == self.owner:
                    return current
                operation = current

    def _polled(
        self, before: Operation, stored: Operation | KarborBackupError, answer: Answer
    ) -> Operation:
        """Answer an operation as stored after a poll, also when somebody wrote in between."""
        if isinstance(stored, Conflict | BackupBusy):
            settled = self.settle(CallResult(before, Call.POLL, answer))
            return self._held(settled)
        if isinstance(stored, KarborBackupError):
            raise stored
        if stored is not before:
            self.backend_of(stored).changed(stored, before)
        return stored

    def _tell(self, operation: Operation, before: Operation) -> None:
        """Tell the extensions of a change that needs no backend, where there is one."""
        if operation.backend in self.backends:
            self.backends[operation.backend].changed(operation, before)

    def _owned(self, operation: Operation) -> Operation:
        """Put an operation under the present name of this process, unless it is over."""
        owner = self.owner
        if operation.finished or operation.owner == owner:
            return operation
        return attrs.evolve(
            operation,
            owner=owner,
            lease_until=self.lease.now() + self.lifecycle.policy.lease,
            fence=operation.fence + 1,
        )

    def _may_write(self, operation: Operation) -> bool:
        return operation.owner == self.owner or self.lease.was_mine(operation.owner)

    def _is_mine(self, current: Operation, before: Operation) -> bool:
        """Say whether nobody but this process, or who cancels, has written since ``before``."""
        if current.fence == before.fence:
            return current.owner == before.owner or current.finished
        again = before.owner != self.owner and current.owner == self.owner
        return again and current.fence == before.fence + 1

    def _lost(self, current: Operation) -> Conflict:
        who = describe(current.owner) if current.owner else "another process"
        return Conflict(
            f"operation {current.id} has been taken over by {who}: the lease of this process had "
            "run out there. If it was never silent for that long, compare the machines' clocks"
        )

    def _write_or_wait(self, before: Operation, after: Operation) -> Operation:
        """Write, or note for whom the operation waits."""
        try:
            return self._write(before, after)
        except BackupBusy as busy:
            return self.store.write(self._owned(self._waiting(before, busy.holder)))

    def _waiting(self, operation: Operation, holder: str) -> Operation:
        """Let an operation wait for the one that holds its backup, unless that is suspended."""
        now = self.clock()
        try:
            other = self.store.operation(holder)
        except UnknownOperation:  # it has gone in between
            return self.lifecycle.held_up(operation, holder, now)
        if other.parked:
            return self.lifecycle.refused(operation, holder, now)
        driven = not self.is_free(other)
        return self.lifecycle.held_up(operation, holder, now, driven=driven)

    def _write(self, before: Operation, after: Operation) -> Operation:
        return self.store.end(after) if _ends(before, after) else self.store.write(after)

    def _write_all(
        self, before: Sequence[Operation], changed: Mapping[str, Operation]
    ) -> Mapping[str, Operation | KarborBackupError]:
        written: list[Operation] = []
        ended: list[Operation] = []
        # All processes lock rows in one order, so that no two wait for each other.
        for operation in sorted(before, key=lambda each: each.id):
            if operation.id in changed:
                after = changed[operation.id]
                (ended if _ends(operation, after) else written).append(after)
        return self.store.write_all(written, ended)


def _ends(before: Operation, after: Operation) -> bool:
    return before.outcome is None and after.outcome is not None


def _is_as_before(current: Operation, before: Operation) -> bool:
    """Say whether an operation is where it was, but for a cancel that somebody asked for.

    Otherwise a write of this process took effect although its reply was lost. What the two have
    in a backend's notes is not compared: a store may give it back in another form.
    """
    return _place_of(current) == _place_of(before)


def _place_of(operation: Operation) -> tuple[object, ...]:
    return (
        operation.state,
        operation.phase,
        operation.attempt,
        operation.awaiting,
        operation.cancel_sent,
        operation.parked,
        operation.failures,
        operation.outcome is not None,
    )
