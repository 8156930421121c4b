"""Runs many operations to their end; with the agenda and the poller, the only room with threads.

A few worker threads make the calls that begin, cancel and release work. One ``poll`` at a time
per backend asks about all of its running operations. No thread is started before the first
operation, so a runner may be made before a fork.
"""

import concurrent.futures
import functools
import logging
import sched
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Self

from karbor_backup_core.agenda import Agenda
from karbor_backup_core.backend import Backend
from karbor_backup_core.clock import Clock, system_clock
from karbor_backup_core.driver import Driver
from karbor_backup_core.errors import Conflict, KarborBackupError, StoreError, UnknownBackend
from karbor_backup_core.lifecycle import Call, Lifecycle, next_call
from karbor_backup_core.model import Backup, Operation, Resource, Verb
from karbor_backup_core.planning import plan
from karbor_backup_core.policy import Policy
from karbor_backup_core.poller import Listener, Poller
from karbor_backup_core.stores.base import Store

_log = logging.getLogger("karbor_backup.runner")


class Runner:
    """Plans, runs, cancels and resumes operations on a store and its backends.

    Use it as a context manager, or call ``close``. Every method may be called from any thread.

    Args:
        store: remembers operations and backups; the runner does not close it.
        backends: the configured backends, by name.
        policy: how patient it is.
        clock: tells the time; the waiting itself is done in the machine's time.
        threads: how many calls may be under way at once, beside one poll per backend.
        on_change: hears of every operation as it is stored; called from several threads.
    """

    def __init__(
        self,
        store: Store,
        backends: Mapping[str, Backend],
        *,
        policy: Policy | None = None,
        clock: Clock = system_clock,
        threads: int = 8,
        on_change: Callable[[Operation], None] | None = None,
    ) -> None:
        self._driver = Driver(store, backends, Lifecycle(policy or Policy()), clock)
        self._on_change = on_change
        self._lock = threading.Lock()
        self._held: dict[str, Operation] = {}
        self._ended: dict[str, threading.Event] = {}
        self._lost: dict[str, Exception] = {}
        self._delayed: dict[str, tuple[sched.Event, Operation]] = {}
        self._closed = False
        self._beating = False
        self._agenda = Agenda()
        self._calls = concurrent.futures.ThreadPoolExecutor(threads, "karbor-backup-call")
        self._polls = concurrent.futures.ThreadPoolExecutor(
            max(1, len(backends)), "karbor-backup-poll"
        )
        listener = Listener(go_on=self._go_on, note=self._note, lose=self._lose)
        self._pollers = {
            name: Poller(
                name,
                self._driver,
                self._agenda,
                functools.partial(self._submit, self._polls),
                listener,
            )
            for name in backends
        }

    def __enter__(self) -> Self:
        """Answer the runner itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def begin(
        self,
        backend: str,
        verb: Verb,
        target: Resource | Backup,
        options: Mapping[str, Any] | None = None,
        *,
        deadline: timedelta | None = None,
    ) -> Operation:
        """Plan an operation, store it and start on it; ``wait`` for its end.

        Args:
            backend: the configured name of the backend.
            verb: what to do.
            target: the resource to protect, or the backup to restore, delete or verify.
            options: by the backend's schema for this verb and type.
            deadline: time for it; the policy's when None.

        Returns:
            The operation as stored; one of a covered resource is over already.

        Raises:
            UnknownBackend: no backend of that name is configured.
            KarborBackupError: everything that ``planning.plan`` refuses, and ``StoreError``.
        """
        planned = plan(
            self._configured(backend),
            verb,
            target,
            options,
            now=self._driver.clock(),
            deadline=deadline or self._driver.lifecycle.policy.deadline,
        )
        added = self._driver.add(planned)
        if added.finished:
            self._note(added)
        else:
            self._hold(added)
        return added

    def resume(self, operation_id: str) -> Operation:
        """Go on with an operation that nobody drives; a parked one gets its grace anew.

        Raises:
            UnknownOperation: there is no such operation.
            Conflict: another process drives it.
            WrongScope: its backend looks at another endpoint or project now.
            UnknownBackend: its backend is not configured here.
            BackendError: the backend cannot tell its scope now.
        """
        operation = self._driver.store.operation(operation_id)
        if operation_id in self._held or (operation.finished and not operation.parked):
            return operation
        taken = self._driver.take(operation)
        self._hold(taken)
        return taken

    def cancel(self, operation_id: str) -> Operation:
        """Ask for an operation to be cancelled, whichever process drives it.

        Raises:
            UnknownOperation: there is no such operation.
        """
        operation = self._driver.request_cancel(operation_id)
        self._hear_cancels()
        if operation.backend in self._pollers:
            self._pollers[operation.backend].hurry()
        return operation

    def wait(self, operation_id: str, timeout: float | None = None) -> Operation:
        """Wait until an operation is finished: released, or parked until somebody resumes it.

        Args:
            operation_id: one that this runner began or resumed.
            timeout: seconds to wait at most; None waits for the end.

        Returns:
            The operation as it stands, finished or not.

        Raises:
            Conflict: another process has taken it over.
            StoreError: what became of it could not be stored; resume it.
            Exception: whatever else kept the runner from going on with it.
        """
        with self._lock:
            ended = self._ended.get(operation_id)
        if ended is not None:
            ended.wait(timeout)
        with self._lock:
            if operation_id in self._lost:
                raise self._lost[operation_id]
        return self._driver.store.operation(operation_id)

    def close(self) -> None:
        """Finish the calls under way, begin no more, and let go of all operations.

        What is not finished stays in the store; ``resume`` goes on with it, here or elsewhere.
        """
        self._closed = True
        self._agenda.close()
        self._calls.shutdown(wait=True, cancel_futures=True)
        self._polls.shutdown(wait=True, cancel_futures=True)
        with self._lock:
            held, self._held = list(self._held.values()), {}
            ended, self._ended = list(self._ended.values()), {}
        for operation in held:
            try:
                self._driver.let_go(operation)
            except Conflict:
                _log.info("operation %s has been taken by another process", operation.id)
            except StoreError as error:
                _log.warning("operation %s is held until its lease ends: %s", operation.id, error)
        for event in ended:
            event.set()

    def _configured(self, name: str) -> Backend:
        try:
            return self._driver.backends[name]
        except KeyError:
            known = ", ".join(sorted(self._driver.backends)) or "none"
            raise UnknownBackend(
                f"backend {name!r} is not configured (configured: {known})"
            ) from None

    def _hold(self, operation: Operation) -> None:
        with self._lock:
            beating, self._beating = self._beating, True
            self._held[operation.id] = operation
            self._ended[operation.id] = threading.Event()
            self._lost.pop(operation.id, None)
        self._note(operation)
        if not beating:
            self._plan_beat()
        self._go_on(operation)

    def _go_on(self, operation: Operation) -> None:
        self._submit(self._calls, functools.partial(self._advance, operation))

    def _advance(self, operation: Operation) -> None:
        """Make one call after the other, until there is something to wait for."""
        try:
            while not self._closed:
                match next_call(operation, self._driver.clock()):
                    case Call.NOTHING:
                        return self._drop(operation.id)
                    case Call.WAIT:
                        return self._delay(operation)
                    case Call.POLL:
                        return self._pollers[operation.backend].add(operation)
                    case _:
                        operation = self._driver.step(operation)
                        self._note(operation)
        except Exception as error:  # noqa: BLE001 - whatever it is, somebody waits for it
            self._lose(operation.id, error)

    def _delay(self, operation: Operation) -> None:
        now = self._driver.clock()
        delay = (operation.not_before or now) - now
        with self._lock:
            event = self._agenda.after(delay, functools.partial(self._end_delay, operation))
            self._delayed[operation.id] = event, operation
        self._hear_cancels()

    def _end_delay(self, operation: Operation) -> None:
        with self._lock:
            self._delayed.pop(operation.id, None)
        self._go_on(operation)

    def _hear_cancels(self) -> None:
        """Go on at once with delayed operations that do not know yet that they are cancelled."""
        for operation_id in self._driver.store.cancel_requests(self._driver.owner):
            with self._lock:
                event, operation = self._delayed.get(operation_id, (None, None))
                if event is None or operation is None or operation.cancel_requested:
                    continue
                del self._delayed[operation_id]
            if self._agenda.forget(event):
                self._go_on(self._driver.store.operation(operation_id))

    def _plan_beat(self) -> None:
        interval = self._driver.lifecycle.policy.lease / 3
        self._agenda.after(interval, functools.partial(self._submit, self._calls, self._beat))

    def _beat(self) -> None:
        """Show that this process lives, and hear what others ask of it."""
        lease = self._driver.clock() + self._driver.lifecycle.policy.lease
        try:
            self._driver.store.renew(self._driver.owner, lease)
            self._hear_cancels()
        except StoreError as error:
            _log.warning("the leases of %s could not be renewed: %s", self._driver.owner, error)
        with self._lock:
            self._beating = bool(self._held)
        if self._beating:
            self._plan_beat()

    def _note(self, operation: Operation) -> None:
        with self._lock:
            if not operation.finished:
                self._held[operation.id] = operation
        if self._on_change is None:
            return
        try:
            self._on_change(operation)
        except Exception:  # noqa: BLE001 - a listener must not stop an operation
            _log.exception("on_change failed for operation %s", operation.id)

    def _drop(self, operation_id: str) -> None:
        with self._lock:
            self._held.pop(operation_id, None)
            ended = self._ended.pop(operation_id, None)
        if ended is not None:
            ended.set()

    def _lose(self, operation_id: str, error: Exception) -> None:
        if not isinstance(error, KarborBackupError):
            _log.error("operation %s cannot be gone on with", operation_id, exc_info=error)
        with self._lock:
            self._lost[operation_id] = error
        self._drop(operation_id)

    def _submit(
        self, pool: concurrent.futures.ThreadPoolExecutor, action: Callable[[], None]
    ) -> None:
        try:
            pool.submit(action)
        except RuntimeError:
            if not self._closed:
                raise
