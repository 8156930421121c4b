"""Converts unexpected exceptions of a store into ``StoreError``."""

import functools
import logging
from collections.abc import Callable
from typing import Any, cast

from karbor_backup_core._errors import KarborBackupError, StoreError
from karbor_backup_core.stores.base import Store

_log = logging.getLogger("karbor_backup.stores")


class _StoreGuard:
    """A store that raises exceptions of this project only; see ``guard_store``."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)
        return _translate_exceptions(name, found) if callable(found) else found


def guard_store(store: Store) -> Store:
    """Return a store whose unexpected exceptions are raised as ``StoreError``.

    A call that ends with ``StoreError`` is repeated when the store is back. Any other exception
    would drop the operations under way, although nothing is wrong with them.
    """
    return store if isinstance(store, _StoreGuard) else cast("Store", _StoreGuard(store))


def _translate_exceptions(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(call)
    def guarded_call(*args: Any, **options: Any) -> Any:
        try:
            return call(*args, **options)
        except KarborBackupError:
            raise
        except (Exception, SystemExit) as error:
            _log.debug("a store raised what no store may", exc_info=error)
            # Not the text: a driver's may hold the credentials of its connection.
            raise StoreError(
                f"the store failed at {name!r} with {type(error).__name__}, which is a fault in "
                "it: the log of karbor_backup.stores shows where"
            ) from error

    return guarded_call
