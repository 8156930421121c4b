"""What the steps need to do their work, and the call that each of them gets."""

from typing import Any, Self

import attrs

from karbor_backup_cinder.calls import NativeBackupCall
from karbor_backup_cinder.model import Handle, Receipt
from karbor_backup_core import Operation, Step
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
class CinderCall(NativeBackupCall[Receipt, Handle]):
    """One call of the steps of an operation on a volume.

    Attributes:
        volumes: the volumes that the steps have looked up in the present poll, by id.
    """

    volumes: dict[str, Any] = attrs.field(factory=dict, eq=False, repr=False)

    def forget_seen(self) -> None:
        """Forget what the last poll has seen."""
        super().forget_seen()
        self.volumes.clear()

    def _read_receipt(self) -> Receipt:
        return Receipt.from_operation(self.operation)

    def _read_handle(self) -> Handle:
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
        (found,) = call.look_up(self._context.backups, [identifier])
        return found

    def load_own_backup(self, call: CinderCall) -> NativeBackup:
        """Return how the backup that an operation works on stands in Cinder.

        Raises:
            InvalidInput: the handle cannot be read, or what it names is something else.
        """
        (found,) = call.load_own_backups(self._context.backups)
        return found


def find_own_backups(context: CinderContext, operation: Operation, name: str) -> tuple[str, ...]:
    """Return the ids of the backups in Cinder that a protect has made."""
    return context.backups.find_by_name(name, operation.resource.id)
