"""One runner for all operations of this process on one backend and bank, with one account.

Karbor makes a plugin object anew for each operation and resource type, so what is to be shared
is shared here. A runner is opened with the first operation that needs it, after Karbor has
forked, and closed with the last.
"""

import contextlib
import logging
import threading
from collections.abc import Iterator
from typing import Any

import attrs

from karbor_backup_core import Backend, Runner, StoreError
from karbor_glue._bank_store import BankStore
from karbor_glue._credentials import Credentials
from karbor_glue._leases import process_lease
from karbor_glue._settings import Settings

_log = logging.getLogger("karbor_backup.karbor")


@attrs.frozen
class RunnerContext:
    """A runner with all that it works on.

    Attributes:
        settings: the provider's.
        credentials: those that the backend uses.
        backend: the backend.
        store: the operations.
        runner: drives them.
    """

    settings: Settings
    credentials: Credentials
    backend: Backend
    store: BankStore
    runner: Runner

    @classmethod
    def open(cls, settings: Settings, credentials: Credentials, bank: Any) -> "RunnerContext":
        """Make the backend and its runner.

        Raises:
            KarborBackupError: the backend cannot be made, or Keystone refuses.
        """
        policy = settings.policy
        # A trust that is made before this process shows itself would be taken for abandoned.
        process_lease.renew(bank, policy.lease)
        lifetime = policy.deadline + policy.grace + policy.release
        backend = settings.load_backend(**credentials.open(bank, lifetime))
        store = BankStore()
        runner = Runner(store, {backend.name: backend}, policy=policy)
        return cls(settings, credentials, backend, store, runner)

    def close(self) -> None:
        """Let go of all that is held; what is not over stays in the bank."""
        self.runner.close()
        self.credentials.close(needed=bool(self.store.operations() or self.store.unfinished))
        self.store.close()


@attrs.define
class _SharedRunner:
    """A shared runner and the number of its users, with those that wait for it to open."""

    users: int = 0
    context: RunnerContext | None = None
    lock: Any = attrs.field(factory=threading.Lock)


_shared_runners: dict[tuple[Settings, str, int], _SharedRunner] = {}
_lock = threading.Lock()


@contextlib.contextmanager
def shared_runner(
    settings: Settings, credentials: Credentials, bank: Any
) -> Iterator[RunnerContext]:
    """Yield the runner that is shared by all users of these settings, credentials and bank.

    Providers with equal settings share none: what recovers one bank must find there all leases and
    trusts of its operations.

    Args:
        settings: the provider's.
        credentials: those that the backend uses.
        bank: Karbor's ``Bank`` of the provider.

    Raises:
        KarborBackupError: it cannot be opened.
    """
    key = (settings, credentials.key, id(bank))
    with _lock:
        slot = _shared_runners.setdefault(key, _SharedRunner())
        slot.users += 1
    try:
        with slot.lock:
            if slot.context is None:
                slot.context = RunnerContext.open(settings, credentials, bank)
        yield slot.context
    finally:
        with _lock:
            slot.users -= 1
            last = slot.users == 0
            if last:
                _shared_runners.pop(key, None)
        if last and slot.context is not None:
            _close_context(slot.context)


def _close_context(context: RunnerContext) -> None:
    try:
        context.close()
    except StoreError as error:
        _log.warning("a sign of life stays in Karbor's bank: %s", error)
