"""The time that operations are queued for, which their deadlines do not count."""

from datetime import datetime, timedelta

import attrs

from karbor_backup_core import Operation
from karbor_backup_core.stores.base import Store
from karbor_backup_core.stores.common import write_one


class QueuedTimes:
    """Moves the deadlines of operations by the time that they are queued.

    Each operation of the store may keep another one waiting for as long as an operation may take:
    beyond that, the service does not begin what is queued.

    Args:
        store: remembers the operations.
        patience: how long one operation may take.
    """

    def __init__(self, store: Store, patience: timedelta) -> None:
        self._store = store
        self._patience = patience
        self._last_looks: dict[str, datetime] = {}
        self._totals: dict[str, timedelta] = {}

    def extend_deadline(self, operation: Operation, now: datetime) -> Operation:
        """Return an operation whose deadline lies as far ahead as at the last look, if queued."""
        last = self._last_looks.pop(operation.id, now)
        if not self.is_excused(operation):
            return operation
        self._last_looks[operation.id] = now
        waited = now - last
        if waited <= timedelta():
            return operation
        self._totals[operation.id] = self._totals.get(operation.id, timedelta()) + waited
        extended = attrs.evolve(operation, deadline=operation.deadline + waited)
        return write_one(self._store, extended)

    def is_excused(self, operation: Operation) -> bool:
        """Return whether an operation is queued, and others may still be the reason."""
        if not operation.queued or operation.cancel_requested or operation.finished:
            return False
        total = self._totals.get(operation.id, timedelta())
        return total < self._patience * len(self._store.operations())
