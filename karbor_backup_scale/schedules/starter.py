"""Begins the operations of schedules: each tick once, whichever worker is the first.

Every worker looks for itself, for the backends that it serves. The id of an operation follows from
its schedule, resource and tick, and the store takes an id once.
"""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import attrs

from karbor_backup_core import (
    Conflict,
    KarborBackupError,
    Operation,
    Store,
    StoreError,
    UnknownOperation,
    system_clock,
)
from karbor_backup_scale.schedules.operations import ScheduledOperation

_log: Final = logging.getLogger("karbor_backup.worker")


class ScheduleStarter:
    """Stores the operations that are due.

    Args:
        store: has the operations.
        scheduled: what is done again and again, by the backends of this worker.
    """

    def __init__(self, store: Store, scheduled: Iterable[ScheduledOperation]) -> None:
        self._store = store
        self._scheduled = list(scheduled)

    def start_due(self, now: datetime | None = None) -> Sequence[Operation]:
        """Store the operations that are due and that nobody has stored yet; return those.

        Args:
            now: the present instant; that of the store's server, or else of this machine, if None.

        Raises:
            StoreError: the store cannot be used; the next look makes up for it.
        """
        now = now or self._store.now() or system_clock()
        due = [(each, tick) for each in self._scheduled if (tick := each.due_tick(now))]
        new = [(each, tick) for each, tick in due if not self._is_stored(each.operation_id(tick))]
        if not new:
            return []
        active = [each for each in self._store.operations(unreleased=True) if not each.suspended]
        return [
            stored
            for each, tick in new
            if (stored := self._start(each, tick, now, active)) is not None
        ]

    def _is_stored(self, operation_id: str) -> bool:
        try:
            self._store.operation(operation_id)
        except UnknownOperation:
            return False
        return True

    def _start(
        self,
        scheduled: ScheduledOperation,
        tick: datetime,
        now: datetime,
        active: Iterable[Operation],
    ) -> Operation | None:
        """Store the operation of a tick; None if that cannot be now, which is tried again."""
        backend, what = scheduled.backend, scheduled.description
        if any(scheduled.is_run_by(each) for each in active):
            _log.warning("%s: the last run goes on; the tick of %s waits for its end", what, tick)
            return None
        try:
            health = backend.health()
            if not health.ok:
                _log.warning("%s: %s is not fit for work: %s", what, backend.name, health.summary)
                return None
            planned = scheduled.plan(tick, now, self._store)
            # What only this host can see is left to a worker on this host.
            stored = self._store.add(attrs.evolve(planned, place=backend.place()))
        except Conflict:
            return None  # Another worker was faster.
        except StoreError:
            raise
        except KarborBackupError as error:
            _log.warning("%s: the tick of %s cannot be begun now: %s", what, tick, error)
            return None
        backend.notify_extensions(stored, None)
        return stored
