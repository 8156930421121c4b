"""The queue's connection, which outlives a restart of the database."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final, TypeVar

import psycopg
import tenacity
from procrastinate import PsycopgConnector
from procrastinate.connector import Notify
from procrastinate.exceptions import ConnectorException

T = TypeVar("T")

_log: Final = logging.getLogger("karbor_backup.worker")

_RECONNECT_SECONDS: Final = 1.0
_CONNECT_SECONDS: Final = 5.0
"""Seconds that a statement waits for a connection before it counts as failed, and is repeated."""

_POOL_SIZE: Final = 4
"""Connections of a worker, beside those that listen: its statements are short."""


class PatientConnector(PsycopgConnector):
    """Repeats statements until the database is back.

    The engine ends a worker whose heartbeat or listener has failed once, and forgets a job whose
    end it could not write. A statement that took effect although its reply was lost is repeated
    too; ``ghosts`` has what that leaves.

    Args:
        parameters: those of libpq.

    Attributes:
        patient: whether statements are repeated; not any more where the process is to end.
    """

    def __init__(self, parameters: dict[str, Any]) -> None:
        super().__init__(
            kwargs=parameters, min_size=1, max_size=_POOL_SIZE, timeout=_CONNECT_SECONDS
        )
        self.patient = True

    async def execute_query_async(self, query: Any, **arguments: Any) -> None:
        """Execute a statement."""
        await self._repeat(super().execute_query_async, query, arguments)

    async def execute_query_one_async(self, query: Any, **arguments: Any) -> dict[str, Any]:
        """Execute a statement and return its only row."""
        return await self._repeat(super().execute_query_one_async, query, arguments)

    async def execute_query_all_async(self, query: Any, **arguments: Any) -> list[dict[str, Any]]:
        """Execute a statement and return its rows."""
        return await self._repeat(super().execute_query_all_async, query, arguments)

    async def listen_notify(self, on_notification: Notify, channels: Iterable[str]) -> None:
        """Listen for notifications until this is cancelled."""
        while True:
            try:
                await super().listen_notify(on_notification, channels)
            except (ConnectorException, psycopg.OperationalError) as error:
                _log.debug("the queue cannot be listened to for now: %s", error.__cause__ or error)
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _repeat(
        self, execute: Callable[..., Awaitable[T]], query: Any, arguments: dict[str, Any]
    ) -> T:
        repeating = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception(lambda error: self.patient and _is_outage(error)),
            wait=tenacity.wait_random_exponential(multiplier=0.1, max=2),
            before_sleep=_log_outage,
        )
        return await repeating(execute, query, **arguments)


def _is_outage(error: BaseException) -> bool:
    """Return whether a statement failed for a reason that passes: an outage, or a deadlock."""
    cause = error.__cause__
    return isinstance(error, ConnectorException) and isinstance(
        cause, psycopg.OperationalError | psycopg.InterfaceError
    )


def _log_outage(state: tenacity.RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    level = logging.WARNING if state.attempt_number == 1 else logging.DEBUG
    _log.log(level, "the queue cannot be used for now: %s", getattr(error, "__cause__", error))
