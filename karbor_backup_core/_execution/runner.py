"""Runs many operations to their end; the interface for programs."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, Self, overload

from karbor_backup_core._backend import Backend
from karbor_backup_core._clock import Clock, SteadyClock, system_clock
from karbor_backup_core._errors import Conflict, InvalidInput, RunnerClosed
from karbor_backup_core._execution.active_operations import runner_closed
from karbor_backup_core._execution.driver import Driver
from karbor_backup_core._execution.executor import Executor, finished_future
from karbor_backup_core._execution.operation_future import OperationFuture
from karbor_backup_core._execution.runner_arguments import check_arguments, check_id, index_by_name
from karbor_backup_core._lifecycle.policy import Policy
from karbor_backup_core._lifecycle.state_machine import Lifecycle
from karbor_backup_core._model import Backup, Operation, Resource, Verb
from karbor_backup_core._planning import plan_maintenance, plan_operation, prepare_submission
from karbor_backup_core._suggestions import unknown_backend
from karbor_backup_core.stores.base import Store

_Options = Mapping[str, Any] | None


class Runner:
    """Plans, runs, cancels and resumes operations on a store and its backends.

    Use it as a context manager, or call ``close``. Every method may be called from any thread.

    Args:
        store: keeps operations and backups; the runner does not close it.
        backends: the configured backends, alone or by their names.
        policy: durations and limits.
        clock: returns the present instant; delays themselves are measured by the machine's clock.
        threads: how many calls may be under way at once, beside one poll per backend.
        on_change: is called with every operation as it is stored, from several threads.
        on_lost: is called with every operation that the runner cannot continue, as it was stored
            last, and why; from several threads. After a ``Conflict`` another process owns it. After
            another ``StoreError`` the store cannot be used; the runner continues the operation when
            the store is back, unless another process has acquired it by then.

    Raises:
        InvalidInput: an argument is of another type than it should be.
    """

    def __init__(
        self,
        store: Store,
        backends: Mapping[str, Backend] | Iterable[Backend],
        *,
        policy: Policy | None = None,
        clock: Clock = system_clock,
        threads: int = 8,
        on_change: Callable[[Operation], None] | None = None,
        on_lost: Callable[[Operation, BaseException], None] | None = None,
    ) -> None:
        check_arguments(store, policy, clock, threads, on_change, on_lost)
        # The machine's clock may be stepped; a clock that the caller gives is not corrected.
        self._steady = None
        if clock is system_clock:
            clock = self._steady = SteadyClock(lambda: store.now() or system_clock())
        lifecycle = Lifecycle(policy or Policy())
        self._driver = Driver(store, index_by_name(backends), lifecycle, clock)
        self._executor = Executor(self._driver, threads, on_change, on_lost)

    @property
    def store(self) -> Store:
        """The store of the operations and backups."""
        return self._driver.store

    @property
    def backends(self) -> Mapping[str, Backend]:
        """The backends by their configured names."""
        return self._driver.backends

    def __enter__(self) -> Self:
        """Return the runner itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the runner."""
        self.close()

    def protect(
        self,
        backend: str,
        resource: Resource,
        options: _Options = None,
        *,
        deadline: timedelta | None = None,
    ) -> OperationFuture:
        """Plan to protect a resource, and submit the operation.

        Args:
            backend: the configured name of the backend.
            resource: the resource to protect.
            options: the options, by the backend's schema for this verb and type.
            deadline: time for the operation, from now on; the policy's if None.

        Returns:
            The future of the operation. It is done already where the type is covered.

        Raises:
            KarborBackupError: as ``plan`` and ``submit``; nothing was stored.
        """
        planned = self.plan(backend, Verb.PROTECT, resource, options, deadline=deadline)
        return self._add(planned)

    def restore(
        self,
        backend: str,
        backup: Backup,
        options: _Options = None,
        *,
        deadline: timedelta | None = None,
    ) -> OperationFuture:
        """Plan to restore a backup, or a member of one, and submit the operation.

        Args, result and exceptions are those of ``protect``.
        """
        return self._add(self.plan(backend, Verb.RESTORE, backup, options, deadline=deadline))

    def delete(
        self,
        backend: str,
        backup: Backup,
        options: _Options = None,
        *,
        deadline: timedelta | None = None,
    ) -> OperationFuture:
        """Plan to delete a backup, and submit the operation.

        Args, result and exceptions are those of ``protect``.
        """
        return self._add(self.plan(backend, Verb.DELETE, backup, options, deadline=deadline))

    def verify(
        self,
        backend: str,
        backup: Backup,
        options: _Options = None,
        *,
        deadline: timedelta | None = None,
    ) -> OperationFuture:
        """Plan to check whether a backup can be restored, and submit the operation.

        Args, result and exceptions are those of ``protect``.
        """
        return self._add(self.plan(backend, Verb.VERIFY, backup, options, deadline=deadline))

    def copy(
        self,
        backend: str,
        backup: Backup,
        options: _Options = None,
        *,
        deadline: timedelta | None = None,
    ) -> OperationFuture:
        """Plan to copy a backup to the place that a backend uses, and submit the operation.

        Args:
            backend: the configured name of the backend that is to have the copy.
            backup: the whole backup to copy, which another backend of this kind made.
            options: as for ``protect``.
            deadline: as for ``protect``.

        Returns:
            The future of the operation, whose id is also that of the copy.

        Raises:
            KarborBackupError: as ``plan_copy`` and ``submit``; nothing was stored.
        """
        return self._add(self.plan(backend, Verb.COPY, backup, options, deadline=deadline))

    def maintain(
        self,
        backend: str,
        action: str,
        options: _Options = None,
        *,
        deadline: timedelta | None = None,
    ) -> OperationFuture:
        """Plan maintenance of what all backups of a backend share, and submit the operation.

        Args:
            backend: the configured name of the backend.
            action: one of ``BackendInfo.maintenance``, such as "prune".
            options: the options, by the backend's schema for this action.
            deadline: as for ``protect``.

        Returns:
            The future of the operation.

        Raises:
            KarborBackupError: as ``plan_maintenance`` and ``submit``; nothing was stored.
        """
        planned = plan_maintenance(
            self._get_backend(backend),
            action,
            options,
            now=self._now(),
            deadline=self._driver.lifecycle.policy.deadline if deadline is None else deadline,
        )
        return self._add(planned)

    @overload
    def plan(
        self,
        backend: str,
        verb: Literal[Verb.PROTECT, "protect"],
        target: Resource,
        options: _Options = None,
        *,
        deadline: timedelta | None = None,
    ) -> Operation: ...

    @overload
    def plan(
        self,
        backend: str,
        verb: Literal[
            Verb.RESTORE,
            Verb.DELETE,
            Verb.VERIFY,
            Verb.COPY,
            "restore",
            "delete",
            "verify",
            "copy",
        ],
        target: Backup,
        options: _Options = None,
        *,
        deadline: timedelta | None = None,
    ) -> Operation: ...

    def plan(
        self,
        backend: str,
        verb: Any,
        target: Resource | Backup,
        options: _Options = None,
        *,
        deadline: timedelta | None = None,
    ) -> Operation:
        """Plan an operation. Nothing is stored or started; ``submit`` does that.

        Args:
            backend: the configured name of the backend.
            verb: the action.
            target: the resource to protect, or the backup to restore, delete, verify or copy.
            options: the options, by the backend's schema for this verb and type.
            deadline: time for the operation, from its submission on; the policy's if None.

        Returns:
            A planned operation. Where the type is covered by another resource, it is released
            already.

        Raises:
            UnknownBackend: no backend of that name is configured.
            KarborBackupError: as ``plan_protect`` and ``plan_restore``.
        """
        return plan_operation(
            self._get_backend(backend),
            verb,
            target,
            options,
            now=self._now(),
            deadline=self._driver.lifecycle.policy.deadline if deadline is None else deadline,
        )

    def submit(self, operation: Operation) -> OperationFuture:
        """Store a planned operation and start it. Its time runs from now on.

        Args:
            operation: from ``plan``, or from ``plan_protect`` and the like.

        Returns:
            The future of the operation. It is done already where the type is covered.

        Raises:
            InvalidInput: the operation is not as it was planned.
            KarborBackupError: whatever ``plan`` refuses; nothing was stored.
            Conflict: an operation of this id is stored already.
            RunnerClosed: the runner is closed.
            StoreError: it could not be stored.
        """
        if not isinstance(operation, Operation):
            raise InvalidInput(f"give an Operation to submit, not a {type(operation).__name__}")
        backend = self._get_backend(operation.backend)
        return self._add(prepare_submission(backend, operation, self._now()))

    def resume(self, operation_id: str) -> OperationFuture:
        """Resume an operation that no process drives; a suspended one gets a new grace period.

        Raises:
            UnknownOperation: there is no such operation.
            Conflict: another process drives it.
            WrongScope: its backend is configured for another endpoint or project now.
            UnknownBackend: its backend is not configured here.
            BackendError: the backend cannot determine its scope now.
            RunnerClosed: the runner is closed.
        """
        check_id(operation_id)
        with self._executor.active.reserve(operation_id):
            driven = self._executor.active.future(operation_id)
            if driven is not None:
                return driven
            operation = self._driver.store.operation(operation_id)
            if operation.finished and not operation.suspended:
                return finished_future(operation)
            self._require_open(operation_id)
            self._now()
            taken = self._executor.write_with_retries(
                operation_id, lambda: self._driver.acquire(operation)
            )
            return self._executor.drive(taken)

    def cancel(self, operation_id: str) -> Operation:
        """Request the cancellation of an operation, whichever process drives it.

        Raises:
            UnknownOperation: there is no such operation.
        """
        check_id(operation_id)
        operation = self._driver.request_cancel(operation_id)
        self._executor.heed_cancel(operation)
        return operation

    def operation(self, operation_id: str) -> Operation:
        """Return an operation as it stands now, with its progress.

        Raises:
            UnknownOperation: there is no such operation.
            StoreError: the store cannot be read.
        """
        check_id(operation_id)
        # A cancel, also one that another process requested, is in the store before it is heeded.
        return self._driver.store.operation(operation_id)

    def future(self, operation_id: str) -> OperationFuture:
        """Return the future of an operation that this runner drives, or that is finished.

        Raises:
            UnknownOperation: there is no such operation.
            InvalidInput: this runner does not drive it; ``resume`` does that.
            BaseException: what keeps the runner from going on with it (see ``OperationFuture``).
        """
        check_id(operation_id)
        driven = self._executor.active.future(operation_id)
        if driven is not None:
            return driven
        operation = self._driver.store.operation(operation_id)
        if operation.finished:
            return finished_future(operation)
        self._require_open(operation_id)
        raise InvalidInput(
            f"operation {operation_id} is {operation.state}, and this runner does not drive it: "
            "resume it"
        )

    def wait(self, operation_id: str, timeout: float | None = None) -> Operation:
        """Wait until an operation is finished: released, or suspended until somebody resumes it.

        Args:
            operation_id: one that this runner drives, or that is finished.
            timeout: seconds to wait at most; None waits for the end.

        Returns:
            The finished operation.

        Raises:
            TimeoutError: it is not finished yet; it goes on.
            UnknownOperation: there is no such operation.
            InvalidInput: this runner does not drive it; ``resume`` does that.
            BaseException: what keeps the runner from going on with it (see ``OperationFuture``).
        """
        return self.future(operation_id).result(timeout)

    def close(self) -> None:
        """Finish the calls under way, start no more, and release the ownership of all operations.

        Unfinished operations stay in the store; ``resume`` continues them, here or elsewhere.
        """
        self._executor.close()

    def _add(self, planned: Operation) -> OperationFuture:
        if self._executor.closed:
            raise RunnerClosed("the runner is closed, and nothing was stored: open another one")
        with self._executor.active.reserve(planned.id):
            if planned.id in self._executor.active:
                raise Conflict(f"operation {planned.id} was submitted already")
            added = self._executor.write_with_retries(planned.id, lambda: self._driver.add(planned))
            return self._executor.report(added) if added.finished else self._executor.drive(added)

    def _now(self) -> datetime:
        """Return the present instant; with nothing to drive, the steady clock starts anew."""
        if self._steady is not None and not self._executor.active:
            self._steady.reset()
        return self._driver.clock()

    def _require_open(self, operation_id: str) -> None:
        if self._executor.closed:
            raise runner_closed(operation_id)

    def _get_backend(self, name: str) -> Backend:
        backends = self._driver.backends
        if not isinstance(name, str) or name not in backends:
            raise unknown_backend(name, sorted(backends))
        return backends[name]
