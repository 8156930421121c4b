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
    Verb,
    system_clock,
)
from karbor_backup_scale.schedules.protects import ScheduledProtect

_log: Final = logging.getLogger("karbor_backup.worker")


class ScheduleStarter:
    """Stores the operations that are due.

    Args:
        store: has the operations.
        protects: what is protected again and again, by the backends of this worker.
    """

    def __init__(self, store: Store, protects: Iterable[ScheduledProtect]) -> None:
        self._store = store
        self._protects = list(protects)

    def start_due(self, now: datetime | None = None) -> Sequence[Operation]:
        """Store the operations that are due and that nobody has stored yet; return those.

        Args:
            now: the present instant; that of the store's server, or else of this machine, if None.

        Raises:
            StoreError: the store cannot be used; the next look makes up for it.
        """
        now = now or self._store.now() or system_clock()
        due = [(each, tick) for each in self._protects if (tick := each.due_tick(now))]
        new = [(each, tick) for each, tick in due if not self._is_stored(each.operation_id(tick))]
        if not new:
            return []
        active = self._active_resources()
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

    def _active_resources(self) -> set[tuple[str, str, str]]:
        """Return what is being protected: the backend, and the resource's type and id."""
        return {
            (each.backend, each.resource.type, each.resource.id)
            for each in self._store.operations(unreleased=True)
            if each.verb is Verb.PROTECT and not each.suspended
        }

    def _start(
        self,
        protect: ScheduledProtect,
        tick: datetime,
        now: datetime,
        active: set[tuple[str, str, str]],
    ) -> Operation | None:
        """Store the operation of a tick; None if that cannot be now, which is tried again."""
        backend, resource = protect.backend, protect.resource
        what = f"schedule {protect.schedule.name}, {resource.type} {resource.id}"
        if (backend.name, resource.type, resource.id) in active:
            _log.warning("%s: the last run goes on; the tick of %s waits for its end", what, tick)
            return None
        try:
            health = backend.health()
            if not health.ok:
                _log.warning("%s: %s is not fit for work: %s", what, backend.name, health.summary)
                return None
            # What only this host can see is left to a worker on this host.
            planned = attrs.evolve(protect.plan(tick, now), place=backend.place())
            stored = self._store.add(planned)
        except Conflict:
            return None  # Another worker was faster.
        except StoreError:
            raise
        except KarborBackupError as error:
            _log.warning("%s: the tick of %s cannot be begun now: %s", what, tick, error)
            return None
        backend.notify_extensions(stored, None)
        return stored
