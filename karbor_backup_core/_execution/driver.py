"""Drives operations one call at a time, without threads and without waiting.

The owner of a driver decides when to call it: the runner from its threads, a test from a loop that
sets the clock.
"""

from collections.abc import Callable, Mapping, Sequence

import attrs

from karbor_backup_core._backend import Backend
from karbor_backup_core._clock import Clock, system_clock
from karbor_backup_core._errors import (
    BackendFault,
    Busy,
    Conflict,
    InvalidInput,
    KarborBackupError,
    StoreError,
    UnknownOperation,
)
from karbor_backup_core._execution.owner_lease import OwnerLease
from karbor_backup_core._lifecycle.state_machine import Call, HookResult, Lifecycle, next_call
from karbor_backup_core._model import Lease, Operation
from karbor_backup_core._requests import check_place, check_scope, is_here
from karbor_backup_core._suggestions import unknown_backend
from karbor_backup_core.owners import describe_owner, is_free
from karbor_backup_core.stores._guard import guard_store
from karbor_backup_core.stores.base import Store
from karbor_backup_core.stores.common import is_lock_pending, write_one


@attrs.frozen
class CallResult:
    """The result of a call, before it is stored.

    Attributes:
        operation: the operation as it was before the call.
        call: the call.
        hook_result: what the hook returned or raised.
    """

    operation: Operation
    call: Call
    hook_result: HookResult


@attrs.frozen
class PollResult:
    """The result of a poll of one backend.

    Attributes:
        operations: the operations as stored now; those that another process took are missing.
        lost: per id of an operation that this process does not own any more, why.
        unsaved: per id of an operation whose progress could not be stored, why; ``operations`` has
            its previous version, which is to be polled again.
        error: why the poll failed, if it did.
    """

    operations: Sequence[Operation]
    lost: Mapping[str, KarborBackupError]
    unsaved: Mapping[str, StoreError] = attrs.field(factory=dict)
    error: KarborBackupError | None = None


@attrs.frozen
class Driver:
    """Makes the calls that the lifecycle asks for, and stores their results.

    Before each call that changes something outside, the lease is checked: it is renewed shortly
    before it expires, and after it has expired the operation is acquired again or dropped.

    Attributes:
        store: keeps the operations.
        backends: by configured name.
        lifecycle: the rules.
        clock: returns the present instant.
        lease: the lease under which this process owns operations.
    """

    store: Store = attrs.field(converter=guard_store)
    backends: Mapping[str, Backend]
    lifecycle: Lifecycle = attrs.field(factory=Lifecycle)
    clock: Clock = system_clock
    _owner: str = ""
    lease: OwnerLease = attrs.field(init=False, eq=False, repr=False)

    @lease.default
    def _create_lease(self) -> OwnerLease:
        return OwnerLease(self.store, self.lifecycle.policy.lease, self.clock, self._owner)

    @property
    def owner(self) -> str:
        """The name of the owner, as written into operations now."""
        return self.lease.owner

    def backend_of(self, operation: Operation) -> Backend:
        """Return the backend that an operation belongs to.

        Raises:
            UnknownBackend: it is not configured here.
        """
        try:
            return self.backends[operation.backend]
        except KeyError:
            what = f"operation {operation.id}: "
            raise unknown_backend(operation.backend, sorted(self.backends), what) from None

    def add(self, operation: Operation) -> Operation:
        """Store a planned operation as this driver's own.

        It may be repeated after a StoreError: an operation that was stored then is found.

        Raises:
            StoreError: the store cannot be reached.
        """
        if not operation.finished:
            self.lease.ensure_valid()
        try:
            added = self.store.add(self._with_current_owner(operation))
        except Conflict:
            added = self.store.operation(operation.id)
            if not self.lease.is_own_name(added.owner):
                raise
        self.backend_of(added).notify_extensions(added, None)
        return added

    def acquire(self, operation: Operation) -> Operation:
        """Acquire an operation that no process drives; a suspended one is resumed.

        It may be repeated after a StoreError, with the same operation, but not from two threads at
        once: an acquisition that took effect then is found.

        Raises:
            Conflict: another process drives it.
            UnknownBackend: its backend is not configured here.
            WrongScope: its backend is configured for another endpoint or project now.
            WrongPlace: its work is bound to another host.
            BackendError: the backend cannot determine its scope now.
            StoreError: the store cannot be reached.
        """
        backend = self.backend_of(operation)
        self.lease.ensure_valid()
        now = self.lease.now()
        mine = self.lease.is_own_name(operation.owner)
        if not mine and operation.lease is not None and not self.is_free(operation):
            raise Conflict(
                f"operation {operation.id} is driven by {describe_owner(operation.owner)}, "
                f"and is free at {operation.lease.until:%Y-%m-%d %H:%M:%S} UTC unless that goes on"
            )
        check_scope(f"operation {operation.id}", operation.scope, backend, backend.scope())
        check_place(operation, backend)
        at = self.clock()
        resumed = self.lifecycle.resume(self.lifecycle.adjust_for_clock_step(operation, at), at)
        taken = self.lifecycle.take_over(resumed, self.owner, now)
        try:
            # The process's own lease may have been renewed since the operation was read.
            stored = (
                write_one(self.store, taken) if mine else self.store.take_over(taken, operation)
            )
        except Conflict:
            stored = self.store.operation(operation.id)
            if stored.fence != taken.fence or not self.lease.is_own_name(stored.owner):
                raise
            # This acquisition took effect although its reply was lost.
        backend.notify_extensions(stored, operation)
        return stored

    def is_free(self, operation: Operation) -> bool:
        """Return whether no process drives an operation.

        Raises:
            StoreError: the store's clock cannot be read.
        """
        return is_free(operation, self.lease.now(), self.lifecycle.policy.lease)

    def release_lease(self, operation: Operation) -> Operation:
        """Release the ownership of an operation, so that another process can acquire it at once.

        Raises:
            Conflict: another process has acquired it already.
            StoreError: the store could not be reached; the lease will expire.
        """
        while True:
            if not operation.owner:
                return operation
            try:
                return write_one(self.store, attrs.evolve(operation, lease=None))
            except Conflict:
                operation = self.store.operation(operation.id)
                if operation.owner and not self.lease.is_own_name(operation.owner):
                    raise

    def ensure_owned(self, operation: Operation) -> Operation:
        """Return an operation under a valid lease of this process; acquire it again if need be.

        Its version shows whether another process has written it since it was read.

        Raises:
            Conflict: another process took it.
            StoreError: it could not be acquired again.
        """
        self.lease.ensure_valid()
        if operation.owner == self.owner or operation.finished:
            return operation
        if not self._may_write(operation):
            raise self._taken_over_error(operation)
        return self._store_change(operation, self._with_current_owner)

    def queue(self, operation: Operation, limit: int) -> Operation:
        """Store that an operation waits, because its backend works on no more at once.

        It may be repeated until the store accepts it.

        Args:
            operation: one that was planned, and not begun.
            limit: how many the backend works on at once.

        Raises:
            Conflict: another process took it.
            StoreError: it could not be stored.
        """
        return self._store_change(
            self.ensure_owned(operation), lambda held: self.lifecycle.queue(held, limit)
        )

    def request_cancel(self, operation_id: str) -> Operation:
        """Request the cancellation of an operation, whichever process drives it.

        Raises:
            UnknownOperation: there is no such operation.
        """
        while True:
            before = self.store.operation(operation_id)
            after = self.lifecycle.request_cancel(before)
            if after is before:
                return before
            try:
                stored = write_one(self.store, after)
            except Conflict:
                continue
            self._notify_extensions(stored, before)
            return stored

    def abandon(self, operation_id: str) -> Operation:
        """Abandon an operation for good: its backend gets no call for it any more.

        It is for work that never ends, and for work that is bound to a host that is gone. The
        outcome names the leftovers, for a person to remove; the backup is free for other
        operations.

        Raises:
            UnknownOperation: there is no such operation.
            InvalidInput: it is neither suspended nor bound to another host.
            Conflict: a process drives it, or has written it just now.
            StoreError: the store cannot be reached.
        """
        before = self.store.operation(operation_id)
        if not before.suspended and not self._is_stranded(before):
            raise InvalidInput(
                f"operation {operation_id} is {before.state}, not suspended: only what was let go "
                "of with something left behind, or is bound to a host that is gone, can be "
                "abandoned"
            )
        stored = write_one(self.store, self.lifecycle.abandon(before, self.clock()))
        self._notify_extensions(stored, before)
        return stored

    def step(self, operation: Operation) -> Operation:
        """Make the next call, other than a poll, and store its result.

        Raises:
            Conflict: another process took the operation.
            StoreError: the result could not be stored; the operation must be acquired again.
        """
        return self.store_result(self.make_call(operation))

    def make_call(self, operation: Operation) -> CallResult:
        """Make the next call, other than a poll; ``store_result`` stores its result.

        Raises:
            Conflict: another process took the operation; no call was made.
            StoreError: the lease could not be renewed; no call was made.
        """
        held = self.ensure_owned(operation)
        call = next_call(held, self.clock())
        return CallResult(held, call, self._invoke_hook(held, call))

    def store_result(self, result: CallResult) -> Operation:
        """Store the result of a call, also when a cancel was written in between.

        It may be repeated with the same result until the store accepts it: a write that took effect
        although its reply was lost is recognized, and is not made twice.

        Raises:
            Conflict: another process took the operation.
            StoreError: it could not be stored.
        """
        return self._store_change(
            result.operation,
            lambda held: self.lifecycle.apply(held, result.call, result.hook_result, self.clock()),
        )

    def poll(self, name: str, operations: Sequence[Operation]) -> PollResult:
        """Poll one backend for these operations, and store their progress.

        Raises:
            StoreError: the lease could not be renewed; no poll was made.
        """
        self.lease.ensure_valid()
        lost: dict[str, KarborBackupError] = {
            each.id: self._taken_over_error(each)
            for each in operations
            if not self._may_write(each)
        }
        operations = [each for each in operations if each.id not in lost]
        answers, error = self._poll_backend(self.backends[name], operations)
        now = self.clock()
        owner = self.owner
        changed: dict[str, Operation] = {}
        for operation in operations:
            after = self.lifecycle.apply(operation, Call.POLL, answers[operation.id], now)
            if after is not operation or operation.owner != owner:
                changed[operation.id] = self._with_current_owner(after)
        stored = self.store.write(list(changed.values())) if changed else {}
        settled: list[Operation] = []
        unsaved: dict[str, StoreError] = {}
        for operation in operations:
            written = stored.get(operation.id, operation)
            try:
                settled.append(self._store_poll_result(operation, written, answers[operation.id]))
            except Conflict as caught:
                lost[operation.id] = caught
            except StoreError as caught:
                unsaved[operation.id] = caught
                # Nothing is lost with the result: the next poll asks for the same again.
                settled.append(operation)
            except KarborBackupError as caught:
                lost[operation.id] = caught
        return PollResult(settled, lost, unsaved, error)

    def _poll_backend(
        self, backend: Backend, operations: Sequence[Operation]
    ) -> tuple[Mapping[str, HookResult], KarborBackupError | None]:
        """Ask a backend how the work of operations stands; after a fault of its, each half alone.

        So an operation that its backend cannot look at holds up no other one.

        Returns:
            The answers, and why nothing at all could be asked.
        """
        try:
            return backend.poll(operations), None
        except KarborBackupError as error:
            if len(operations) == 1 or not isinstance(error, BackendFault):
                # Each operation gets the error, since the grace period of each may be over.
                return dict.fromkeys((operation.id for operation in operations), error), error
        middle = len(operations) // 2
        first, first_error = self._poll_backend(backend, operations[:middle])
        second, second_error = self._poll_backend(backend, operations[middle:])
        return {**first, **second}, first_error and second_error

    def _invoke_hook(self, operation: Operation, call: Call) -> HookResult:
        backend = self.backend_of(operation)
        try:
            match call:
                case Call.ADVANCE:
                    return backend.place()
                case Call.VERB:
                    return backend.call_verb(operation, self.store.own_paths())
                case Call.CANCEL:
                    return backend.cancel(operation)
                case Call.RELEASE:
                    return backend.release(operation)
                case _:
                    return None
        except KarborBackupError as error:
            # A failed call is a result: the lifecycle alone decides whether it is repeated.
            return error

    def _store_poll_result(
        self, before: Operation, stored: Operation | KarborBackupError, answer: HookResult
    ) -> Operation:
        """Return an operation as stored after a poll, also after a concurrent write."""
        if isinstance(stored, Conflict | Busy):
            # A write of this operation alone shows whether a cancel or a takeover came in between.
            settled = self.store_result(CallResult(before, Call.POLL, answer))
            return self.ensure_owned(settled)
        if isinstance(stored, KarborBackupError):
            raise stored
        if stored is not before:
            self.backend_of(stored).notify_extensions(stored, before)
        return stored

    def _is_stranded(self, operation: Operation) -> bool:
        """Return whether an operation is bound to another host, and no process drives it.

        Raises:
            Conflict: a process drives it.
        """
        if operation.finished or operation.place is None:
            return False
        if not self.is_free(operation):
            who = describe_owner(operation.owner)
            raise Conflict(f"operation {operation.id} is driven by {who}: cancel it instead")
        backend = self.backends.get(operation.backend)
        return backend is None or not is_here(operation, backend)

    def _notify_extensions(self, operation: Operation, before: Operation) -> None:
        """Notify the extensions of a change, where the backend is configured."""
        if operation.backend in self.backends:
            self.backends[operation.backend].notify_extensions(operation, before)

    def _with_current_owner(self, operation: Operation) -> Operation:
        """Return the operation with this process as its owner, unless it is released."""
        owner = self.owner
        if operation.finished or operation.owner == owner:
            return operation
        return attrs.evolve(
            operation,
            lease=Lease(owner, self.lease.now() + self.lifecycle.policy.lease),
            fence=operation.fence + 1,
        )

    def _may_write(self, operation: Operation) -> bool:
        return operation.owner == self.owner or self.lease.is_own_name(operation.owner)

    def _is_still_owned(self, current: Operation, before: Operation) -> bool:
        """Return whether only this process, or a cancel request, has written since ``before``."""
        if current.fence == before.fence:
            return current.owner == before.owner or current.finished
        # A write of this process's new owner name took effect although its reply was lost.
        again = before.owner != self.owner and current.owner == self.owner
        return again and current.fence == before.fence + 1

    def _taken_over_error(self, current: Operation) -> Conflict:
        who = describe_owner(current.owner) if current.owner else "another process"
        return Conflict(
            f"operation {current.id} has been taken over by {who}: the lease of this process had "
            "run out there. If it was never silent for that long, compare the machines' clocks"
        )

    def _store_change(
        self, before: Operation, change: Callable[[Operation], Operation]
    ) -> Operation:
        """Change an operation and store it, also when a cancel was written in between."""
        while True:
            after = change(before)
            if after is before:
                return before
            try:
                stored = self._write_or_defer(before, self._with_current_owner(after))
            except Conflict:
                current = self.store.operation(before.id)
                if not self._is_still_owned(current, before):
                    raise self._taken_over_error(current) from None
                if _is_unchanged(current, before):
                    # Only a cancel came in between: the result is applied to that version, since
                    # the call itself may not be repeatable.
                    before = current
                    continue
                # This write took effect although its reply was lost.
                stored = current
            self.backend_of(stored).notify_extensions(stored, before)
            return stored

    def _write_or_defer(self, before: Operation, after: Operation) -> Operation:
        """Write, or store which operation this one waits for."""
        while True:
            try:
                return write_one(self.store, after)
            except Busy as busy:
                if busy.pending and self._pass_abandoned_wait(busy.holder):
                    continue
                waiting = self._wait_for_other(before, busy)
                return write_one(self.store, self._with_current_owner(waiting))

    def _pass_abandoned_wait(self, waiter: str) -> bool:
        """Take its turn from an operation that waits for shared resources and nobody drives.

        It waits anew when somebody goes on with it. Until then it would keep all others out.

        Returns:
            Whether that operation has to be waited for no more.
        """
        try:
            other = self.store.operation(waiter)
        except UnknownOperation:  # it was purged in between
            return False
        if is_lock_pending(other):
            if not self.is_free(other):
                return False
            try:
                passed = self.store.take_over(self.lifecycle.give_up_turn(other), other)
            except Conflict:  # somebody drives it again
                return True
            self._notify_extensions(passed, other)
        return True

    def _wait_for_other(self, operation: Operation, busy: Busy) -> Operation:
        """Let an operation wait for the one that has what it needs, unless that is suspended."""
        now = self.clock()
        try:
            other = self.store.operation(busy.holder)
        except UnknownOperation:  # it was purged in between
            return self.lifecycle.wait_for_other(operation, busy, now)
        if other.suspended:
            # It goes on only when a person resumes it: waiting for that may never end.
            return self.lifecycle.refuse(operation, busy, now)
        driven = not self.is_free(other)
        return self.lifecycle.wait_for_other(operation, busy, now, driven=driven)


def _is_unchanged(current: Operation, before: Operation) -> bool:
    """Return whether an operation is unchanged, except for a cancel request.

    Otherwise a write of this process took effect although its reply was lost. Receipts and handles
    are not compared: a store may return them in another form.
    """
    return _comparable_fields(current) == _comparable_fields(before)


def _comparable_fields(operation: Operation) -> tuple[object, ...]:
    return (
        operation.state,
        operation.phase,
        operation.attempt,
        operation.awaiting,
        operation.cancel_sent,
        operation.suspended,
        operation.retry.failures,
        operation.outcome is not None,
    )
