"""Repeats transactions that a database has rolled back in favour of another one."""

from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

import sqlalchemy as sa
import tenacity

from karbor_backup_core._errors import StoreError

P = ParamSpec("P")
T = TypeVar("T")

_SQLSTATES: Final = frozenset({"40001", "40P01"})
"""serialization_failure and deadlock_detected (PostgreSQL, Appendix A)."""

_SQLITE_CODES: Final = frozenset({6, 261, 262, 517})
"""SQLITE_LOCKED, _BUSY_RECOVERY, _LOCKED_SHAREDCACHE, _BUSY_SNAPSHOT (sqlite.org/rescode.html).

Plain SQLITE_BUSY is not among them: SQLite has waited for its whole timeout before.
"""

_MYSQL_CODES: Final = frozenset({1205, 1213})
"""ER_LOCK_WAIT_TIMEOUT and ER_LOCK_DEADLOCK."""

_MAX_ATTEMPTS: Final = 8


def is_retryable(error: BaseException) -> bool:
    """Return whether a transaction was rolled back and may be repeated unchanged."""
    cause = error.__cause__
    if not isinstance(cause, sa.exc.DBAPIError):
        return False
    original = cause.orig
    # The attribute's name in psycopg 3, and in psycopg2.
    state = getattr(original, "sqlstate", None) or getattr(original, "pgcode", None)
    if state in _SQLSTATES or getattr(original, "sqlite_errorcode", None) in _SQLITE_CODES:
        return True
    first = next(iter(getattr(original, "args", ())), None)
    return first in _MYSQL_CODES


def run_with_retries(transaction: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a transaction; repeat it after random delays while its error is retryable.

    Raises:
        StoreError: the error is not retryable, or every attempt failed.
    """
    try:
        return transaction(*args, **kwargs)
    except StoreError as error:
        if not is_retryable(error):
            raise
    repeating = tenacity.Retrying(
        retry=tenacity.retry_if_exception(is_retryable),
        stop=tenacity.stop_after_attempt(_MAX_ATTEMPTS),
        wait=tenacity.wait_random_exponential(multiplier=0.02, max=1),
        reraise=True,
    )
    return repeating(transaction, *args, **kwargs)
