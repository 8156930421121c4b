"""What the steps need to do their work, and the call that each of them gets."""

import functools
from collections.abc import Sequence
from typing import Any, Self

import attrs

from karbor_backup_cinder.model import Handle, Receipt
from karbor_backup_core import BackendError, InvalidInput, Operation, Step, StepCall
from karbor_backup_openstack.native_backups import NativeBackup, NativeBackupClient
from karbor_backup_openstack.resources import CloudResources
from karbor_backup_openstack.services import CloudServices

CANNOT_STOP = "Cinder cannot stop it: it is removed when it has ended"
"""What is said of work that goes on after a cancel."""


@attrs.frozen
class CinderContext:
    """Everything that a step may need; none of it holds state about an operation.

    Attributes:
        services: the cloud.
        backups: Cinder's backups.
        resources: its volumes.
    """

    services: CloudServices
    backups: NativeBackupClient
    resources: CloudResources

    @classmethod
    def create(cls, services: CloudServices) -> Self:
        """Create it for one cloud."""
        return cls(services, NativeBackupClient(services), CloudResources(services))


@attrs.frozen
class CinderCall(StepCall):
    """One call of the steps of an operation, with what it has read.

    Attributes:
        seen: Cinder's backups that a poll has looked up for many operations at once, by id.
        volumes: the volumes that the steps have looked up in the present poll, by id.
    """

    seen: dict[str, NativeBackup] = attrs.field(factory=dict, eq=False, repr=False)
    volumes: dict[str, Any] = attrs.field(factory=dict, eq=False, repr=False)

    @functools.cached_property
    def receipt(self) -> Receipt:
        """The operation's receipt.

        Raises:
            BackendError: it was written by another version, or is damaged.
        """
        return Receipt.from_operation(self.operation)

    @functools.cached_property
    def handle(self) -> Handle:
        """The handle of the operation's backup.

        Raises:
            InvalidInput: there is none, or it cannot be read.
        """
        return Handle.from_backup(self.backup)


class CinderStep(Step[CinderCall]):
    """A step of this backend.

    Args:
        context: what the steps need; it keeps no state of operations.
    """

    def __init__(self, context: CinderContext) -> None:
        self._context = context

    def look_up(self, call: CinderCall, identifier: str) -> NativeBackup:
        """Return how one of Cinder's backups stands, from the present poll if that has seen it."""
        return call.seen.get(identifier) or self._context.backups.get_backup(identifier)

    def load_own_backup(self, call: CinderCall) -> NativeBackup:
        """Return how the backup that an operation works on stands in Cinder.

        Raises:
            InvalidInput: the handle cannot be read, or what it names is something else.
        """
        operation, handle = call.operation, call.handle
        found = self.look_up(call, handle.backup)
        if not found.belongs_to(operation.backup_id, handle.source.id):
            raise InvalidInput(
                f"backup {call.backup.id}: its handle is damaged: Cinder's backup {found.id} "
                f"({found.name!r}) belongs to something else"
            )
        return found


def observe_backups(
    context: CinderContext, asked: Sequence[tuple[CinderCall, Sequence[Step[CinderCall]]]]
) -> None:
    """Look at the backups that the operations of a poll wait for, in one request for many.

    Errors are those of ``NativeBackupClient.get_backups``.
    """
    wanted: dict[str, list[CinderCall]] = {}
    for call, _ in asked:
        # The workflow keeps the call of an operation that has not changed since the last poll.
        call.volumes.clear()
        if identifier := awaited_backup(call):
            wanted.setdefault(identifier, []).append(call)
    for identifier, found in (context.backups.get_backups(wanted) if wanted else {}).items():
        for call in wanted[identifier]:
            call.seen[identifier] = found


def awaited_backup(call: CinderCall) -> str:
    """Return the id of the backup that an operation works on in Cinder, empty if none is known."""
    try:
        return call.receipt.backup if call.operation.backup is None else call.handle.backup
    except (BackendError, InvalidInput):
        # The step that is asked says what is wrong with it.
        return ""


def find_own_backups(context: CinderContext, operation: Operation, name: str) -> tuple[str, ...]:
    """Return the ids of the backups in Cinder that a protect has made."""
    return context.backups.find_by_name(name, operation.resource.id)
