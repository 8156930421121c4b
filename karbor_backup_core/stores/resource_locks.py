"""Which operations use which shared resources, and which wait for them, in a store's memory."""

from datetime import datetime
from typing import TypeAlias

import attrs

from karbor_backup_core._errors import ResourceBusy
from karbor_backup_core._model import Operation
from karbor_backup_core.stores import common

_Turn: TypeAlias = tuple[datetime, str]
"""The order in which operations are served: by their submission, then by their id."""


@attrs.frozen
class _Lock:
    """What an operation has of a shared resource, or waits for.

    Attributes:
        turn: the operation's.
        exclusive: whether it has, or is to have, the resource to itself.
        pending: whether it waits for it.
    """

    turn: _Turn
    exclusive: bool
    pending: bool


class ResourceLocks:
    """The locks of all operations on shared resources; its store lets in one caller at a time."""

    def __init__(self) -> None:
        self._locks: dict[str, dict[str, _Lock]] = {}

    def acquire(self, operation: Operation) -> None:
        """Give an operation all of its shared resources, or none.

        Raises:
            ResourceBusy: another operation has one of them, or came before and waits for it.
        """
        for shared in common.sort_by_name(operation.shared_resources):
            barring = [
                (lock.pending, lock.turn)
                for operation_id, lock in self._locks.get(shared.name, {}).items()
                if operation_id != operation.id
                and (lock.exclusive or shared.exclusive)
                and (not lock.pending or lock.turn < _turn(operation))
            ]
            if barring:
                pending, (_, holder) = min(barring)
                raise ResourceBusy(shared.name, holder, pending=pending)
        if operation.shared_resources:
            self._put(operation, pending=False)

    def release(self, operation: Operation) -> None:
        """Take an operation's shared resources from it; one that waits for them keeps its turn."""
        if common.is_lock_pending(operation):
            self._put(operation, pending=True)
        elif operation.shared_resources:
            self.remove(operation.id)

    def remove(self, operation_id: str) -> None:
        """Remove all locks of an operation."""
        for name in list(self._locks):
            self._locks[name].pop(operation_id, None)
            if not self._locks[name]:
                del self._locks[name]

    def _put(self, operation: Operation, *, pending: bool) -> None:
        self.remove(operation.id)
        for shared in operation.shared_resources:
            lock = _Lock(_turn(operation), shared.exclusive, pending)
            self._locks.setdefault(shared.name, {})[operation.id] = lock


def _turn(operation: Operation) -> _Turn:
    return operation.created_at, operation.id
