"""Runs many operations to their end, with threads.

A few threads make the calls that begin, cancel and release work (``crew``). One ``poll`` at a time
per backend asks about all of its running operations (``poller``). One thread keeps the time
(``agenda``), and one does what must not wait for a backend's calls: it renews leases and hears
what other processes ask for (``heartbeat``, ``delays``). No thread is started before the first
operation, so a runner may be made before a fork.
"""

import concurrent.futures
import functools
import logging
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Self

from karbor_backup_core.agenda import Agenda
from karbor_backup_core.backend import Backend
from karbor_backup_core.clock import Clock, SteadyClock, system_clock
from karbor_backup_core.crew import Crew
from karbor_backup_core.delays import Delays
from karbor_backup_core.driver import CallResult, Driver
from karbor_backup_core.errors import Conflict, StoreError, UnknownBackend
from karbor_backup_core.heartbeat import BeatCallbacks, Heartbeat
from karbor_backup_core.held import Held
from karbor_backup_core.lifecycle import Call, Lifecycle, next_call
from karbor_backup_core.losses import Losses
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
        on_lost: hears of every operation that the runner cannot go on with, as it was stored
            last, and why; called from several threads. After a ``Conflict`` another process has
            it. After another ``StoreError`` the store cannot be used; the runner goes on with
            the operation when the store is back, unless another process has taken it by then.
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
        on_lost: Callable[[Operation, BaseException], None] | None = None,
    ) -> None:
        # The machine's clock may be stepped; a clock of the caller's is the caller's affair.
        self._steady = None
        if clock is system_clock:
            clock = self._steady = SteadyClock(lambda: store.now() or system_clock())
        self._driver = Driver(store, backends, Lifecycle(policy or Policy()), clock)
        self._on_change = on_change
        self._closed = False
        self._held = Held()
        self._agenda = Agenda()
        self._crew: Crew[Operation | CallResult] = Crew(threads, self._advance)
        self._losses = Losses(self._driver, self._held, on_lost)
        self._errands = concurrent.futures.ThreadPoolExecutor(1, "karbor-backup-errand")
        errand = functools.partial(self._submit, self._errands)
        self._delays = Delays(self._driver, self._agenda, self._crew.add, errand)
        beats = BeatCallbacks(
            needed=lambda: bool(self._held or self._losses),
            listen=self._listen,
            on_expired=self._losses.tell_all,
            on_renamed=self._delays.hurry,
        )
        self._heartbeat = Heartbeat(self._driver, self._agenda, errand, beats)
        self._polls = concurrent.futures.ThreadPoolExecutor(
            max(1, len(backends)), "karbor-backup-poll"
        )
        poll = functools.partial(self._submit, self._polls)
        listener = Listener(
            go_on=self._crew.add,
            note=self._note,
            lose=self._losses.lose,
            defer=self._losses.defer,
        )
        self._pollers = {
            name: Poller(name, self._driver, self._agenda, poll, listener) for name in backends
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
        if self._steady is not None and not self._held:
            self._steady.reset()
        planned = plan(
            self._configured(backend),
            verb,
            target,
            options,
            now=self._driver.clock(),
            deadline=deadline or self._driver.lifecycle.policy.deadline,
        )
        added = self._losses.persist(planned.id, lambda: self._driver.add(planned))
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
        if self._steady is not None and not self._held:
            self._steady.reset()
        taken = self._losses.persist(operation_id, lambda: self._driver.take(operation))
        self._hold(taken)
        return taken

    def cancel(self, operation_id: str) -> Operation:
        """Ask for an operation to be cancelled, whichever process drives it.

        Raises:
            UnknownOperation: there is no such operation.
        """
        operation = self._driver.request_cancel(operation_id)
        self._delays.look()
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
            StoreError: the store could not be used for as long as a lease is. The runner goes
                on with the operation when the store is back, and then it can be waited for again.
            BaseException: whatever else kept the runner from going on with it.
        """
        finished = self._held.wait(operation_id, timeout)
        return finished or self._driver.store.operation(operation_id)

    def close(self) -> None:
        """Finish the calls under way, begin no more, and let go of all operations.

        What is not finished stays in the store; ``resume`` goes on with it, here or elsewhere.
        """
        self._closed = True
        self._agenda.close()
        self._crew.close()
        for pool in (self._polls, self._errands):
            pool.shutdown(wait=True, cancel_futures=True)
        for operation in self._held.clear():
            try:
                self._driver.let_go(operation)
            except Conflict:
                _log.info("operation %s has been taken by another process", operation.id)
            except StoreError as error:
                _log.warning("operation %s is held until its lease ends: %s", operation.id, error)
        try:
            self._driver.lease.end()
        except StoreError as error:
            _log.warning("the lease of %s has to run out: %s", self._driver.owner, error)
        self._held.tell_all()

    def _configured(self, name: str) -> Backend:
        try:
            return self._driver.backends[name]
        except KeyError:
            known = ", ".join(sorted(self._driver.backends)) or "none"
            raise UnknownBackend(
                f"backend {name!r} is not configured (configured: {known})"
            ) from None

    def _hold(self, operation: Operation) -> None:
        self._held.add(operation)
        self._note(operation)
        self._heartbeat.start()
        self._crew.add(operation)

    def _advance(self, item: Operation | CallResult) -> None:
        """Make one call after the other, until there is something to wait for."""
        operation = item.operation if isinstance(item, CallResult) else item
        try:
            if isinstance(item, CallResult):
                operation = self._settle(item)
            while not self._closed:
                match next_call(operation, self._driver.clock()):
                    case Call.NOTHING:
                        return self._held.drop(operation)
                    case Call.WAIT:
                        return self._delays.add(operation)
                    case Call.POLL:
                        return self._pollers[operation.backend].add(operation)
                    case _:
                        item = operation  # what is repeated if the lease cannot be renewed
                        item = self._driver.call(operation)
                        operation = self._settle(item)
        except Conflict as error:
            self._losses.lose(operation.id, error)
        except StoreError as error:
            # What a call has brought is never dropped: it is stored when the store is back.
            delay = self._losses.defer(operation.id, error)
            self._agenda.after(delay, functools.partial(self._crew.add, item))
        except BaseException as error:  # noqa: BLE001 - whatever it is, somebody waits for it
            self._losses.lose(operation.id, error)

    def _settle(self, result: CallResult) -> Operation:
        operation = self._driver.settle(result)
        self._note(operation)
        return operation

    def _note(self, operation: Operation) -> None:
        self._held.renew(operation)
        self._losses.forget(operation.id)
        if self._on_change is None:
            return
        try:
            self._on_change(operation)
        except Exception:  # noqa: BLE001 - a listener must not stop an operation
            _log.exception("on_change failed for operation %s", operation.id)

    def _listen(self) -> None:
        self._losses.let_go()
        self._delays.hear_cancels()

    def _submit(
        self, pool: concurrent.futures.ThreadPoolExecutor, action: Callable[[], None]
    ) -> None:
        try:
            pool.submit(action)
        except RuntimeError:
            if not self._closed:
                raise
