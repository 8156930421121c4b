"""The backend: its description and its hooks."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, ClassVar, Final

from karbor_backup_cinder.chains import name_dependents
from karbor_backup_cinder.config import CONFIG_SCHEMA, Configuration
from karbor_backup_cinder.context import CinderCall, CinderContext
from karbor_backup_cinder.health import check_health
from karbor_backup_cinder.model import Handle
from karbor_backup_cinder.schemas import SCHEMAS
from karbor_backup_cinder.sets.context import SetCall, SetContext
from karbor_backup_cinder.sets.model import SetHandle
from karbor_backup_cinder.sets.workflow import create_set_workflow
from karbor_backup_cinder.workflow import create_workflow
from karbor_backup_core import (
    CONTRACT_VERSION,
    BackendError,
    BackendInfo,
    Backup,
    Health,
    InvalidInput,
    Operation,
    Progress,
    Resource,
    Unsupported,
    Workflow,
    __version__,
    hookimpl,
)
from karbor_backup_openstack.abilities import declare_abilities
from karbor_backup_openstack.connection import Connection
from karbor_backup_openstack.resource_types import VOLUME
from karbor_backup_openstack.services import CloudServices

if TYPE_CHECKING:
    from keystoneauth1.session import Session

    from karbor_backup_contract import Harness

NAME: Final = "cinder"


class CinderBackend:
    """Cinder's own backup service behind the contract of karbor-backup.

    Args:
        configuration: valid by ``CONFIG_SCHEMA``.
        session: a keystoneauth session to use instead of what ``clouds.yaml`` or ``OS_*`` say.
    """

    CONFIG_SCHEMA: ClassVar[Mapping[str, Any]] = CONFIG_SCHEMA

    def __init__(
        self, configuration: Mapping[str, Any], *, session: "Session | None" = None
    ) -> None:
        self._connection = Connection(Configuration.from_document(configuration), session)
        self._services = CloudServices(self._connection)
        self._context = CinderContext.create(self._services)
        self._volumes = create_workflow(self._context)
        self._sets = create_set_workflow(SetContext.create(self._services))

    @classmethod
    def contract_harness(
        cls, configuration: Mapping[str, Any]
    ) -> AbstractContextManager["Harness"]:
        """Give the contract suite a harness; ``configuration`` is what the constructor takes."""
        from karbor_backup_cinder.harness import create_live_harness

        return create_live_harness(cls, configuration)

    @hookimpl
    def describe(self) -> BackendInfo:
        """Describe what Cinder does with volumes, servers and projects."""
        return BackendInfo(NAME, __version__, CONTRACT_VERSION, declare_abilities(SCHEMAS))

    @hookimpl
    def scope(self) -> str:
        """Name Cinder's endpoint and the project."""
        return self._connection.scope

    @hookimpl
    def check(self) -> Health:
        """Look whether Cinder answers, and would take another backup."""
        return check_health(self._connection, self._services)

    @hookimpl
    def protect(self, operation: Operation) -> Progress:
        """Begin a backup, or go on with it."""
        return self._execute(operation)

    @hookimpl
    def restore(self, operation: Operation) -> Progress:
        """Begin a restore, or go on with it."""
        return self._execute(operation)

    @hookimpl
    def delete(self, operation: Operation) -> Progress:
        """Begin the removal of a backup, or go on with it."""
        return self._execute(operation)

    @hookimpl
    def verify(self, operation: Operation) -> Progress:
        """Look whether Cinder has the backup as it was made; nothing is read."""
        return self._execute(operation)

    @hookimpl
    def dependents(self, backup: Backup) -> Sequence[str]:
        """Name the incremental backups that Cinder has based on this one, or on a part of it."""
        try:
            volumes = _read_native_backups(backup)
        except (BackendError, InvalidInput):
            # The delete says what is wrong with it.
            return ()
        found = self._context.backups.get_backups(volumes) if volumes else {}
        own = [b for b in found.values() if b.belongs_to(backup.whole_id, volumes[b.id])]
        return name_dependents(self._context.backups, own)

    @hookimpl
    def poll(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        """Look how the steps of the operations stand."""
        volumes = [each for each in operations if each.resource.type == VOLUME]
        sets = [each for each in operations if each.resource.type != VOLUME]
        return {
            **(self._volumes.status(volumes) if volumes else {}),
            **(self._sets.status(sets) if sets else {}),
        }

    @hookimpl
    def cancel(self, operation: Operation) -> bool:
        """Return whether what has not begun is stopped: Cinder has no cancel for a copy."""
        return self._workflow(operation).cancel(operation)

    @hookimpl
    def release(self, operation: Operation) -> Progress:
        """Remove what the operation made if it did not succeed."""
        return self._workflow(operation).revert(operation)

    def _execute(self, operation: Operation) -> Progress:
        if operation.resource.type not in SCHEMAS:
            raise Unsupported(
                f"Cinder does not back up {operation.resource.type} (it does: {', '.join(SCHEMAS)})"
            )
        _check_identifier(operation.resource)
        return self._workflow(operation).execute(operation)

    def _workflow(self, operation: Operation) -> Workflow[CinderCall] | Workflow[SetCall]:
        return self._volumes if operation.resource.type == VOLUME else self._sets


def _read_native_backups(backup: Backup) -> Mapping[str, str]:
    """Return the volume of each of Cinder's backups that a backup consists of, by its id.

    Raises:
        InvalidInput: its handle cannot be read.
    """
    handle = Handle if backup.resource.type == VOLUME else SetHandle
    return handle.from_backup(backup).backups


def _check_identifier(resource: Resource) -> None:
    """Refuse an id that would be another path of a service's API.

    Raises:
        InvalidInput: it holds other characters than letters, digits, '-' and '_'.
    """
    identifier = resource.id
    if not identifier.replace("-", "").replace("_", "").isalnum() or not identifier.isascii():
        raise InvalidInput(
            f"{resource.type} {identifier!r}: give the id, of letters, digits and dashes"
        )
