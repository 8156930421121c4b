"""The backend: its description and its hooks."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final

from karbor_backup_cinder.chains import name_dependents
from karbor_backup_cinder.config import CONFIG_SCHEMA, Configuration
from karbor_backup_cinder.context import CinderContext
from karbor_backup_cinder.health import check_health
from karbor_backup_cinder.model import Handle
from karbor_backup_cinder.schemas import SCHEMAS
from karbor_backup_cinder.workflow import create_workflow
from karbor_backup_core import (
    CONTRACT_VERSION,
    Ability,
    BackendError,
    BackendInfo,
    Backup,
    Health,
    InvalidInput,
    Operation,
    Progress,
    Support,
    Unsupported,
    __version__,
    hookimpl,
)
from karbor_backup_openstack.connection import Connection
from karbor_backup_openstack.services import CloudServices

if TYPE_CHECKING:
    from keystoneauth1.session import Session

NAME: Final = "cinder"
VOLUME: Final = "OS::Cinder::Volume"


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
        self._workflow = create_workflow(self._context)

    @hookimpl
    def describe(self) -> BackendInfo:
        """Describe what Cinder does with a volume."""
        abilities = {
            verb: Ability(Support.SUPPORTED, schema=schema) for verb, schema in SCHEMAS.items()
        }
        return BackendInfo(NAME, __version__, CONTRACT_VERSION, {VOLUME: abilities})

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
        """Name the incremental backups that Cinder has based on this one."""
        try:
            handle = Handle.from_backup(backup)
        except (BackendError, InvalidInput):
            # The delete says what is wrong with it.
            return ()
        found = self._context.backups.get_backup(handle.backup)
        own = found.belongs_to(backup.whole_id, handle.source.id)
        return name_dependents(self._context.backups, found) if own else ()

    @hookimpl
    def poll(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        """Look how the steps of the operations stand."""
        return self._workflow.status(operations)

    @hookimpl
    def cancel(self, operation: Operation) -> bool:
        """Return that nothing was stopped: Cinder has no cancel, for a backup or a restore."""
        return self._workflow.cancel(operation)

    @hookimpl
    def release(self, operation: Operation) -> Progress:
        """Remove what the operation made if it did not succeed."""
        return self._workflow.revert(operation)

    def _execute(self, operation: Operation) -> Progress:
        if operation.resource.type != VOLUME:
            raise Unsupported(
                f"Cinder does not back up {operation.resource.type} (it does: {VOLUME})"
            )
        _check_identifier(operation.resource.id)
        return self._workflow.execute(operation)


def _check_identifier(identifier: str) -> None:
    """Refuse an id that would be another path of Cinder's API.

    Raises:
        InvalidInput: it holds other characters than letters, digits, '-' and '_'.
    """
    if not identifier.replace("-", "").replace("_", "").isalnum() or not identifier.isascii():
        raise InvalidInput(f"{VOLUME} {identifier!r}: give the id, of letters, digits and dashes")
