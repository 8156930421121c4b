"""The backend: its description and its hooks."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, ClassVar, Final

from karbor_backup_core import (
    CONTRACT_VERSION,
    BackendInfo,
    Health,
    Operation,
    Progress,
    Unsupported,
    __version__,
    hookimpl,
)
from karbor_backup_freezer import health, schemas
from karbor_backup_freezer.api.http_client import FreezerHttpClient
from karbor_backup_freezer.config import CONFIG_SCHEMA, Configuration
from karbor_backup_freezer.model.resource_types import SUPPORTED_TYPES
from karbor_backup_freezer.workflows.context import WorkflowContext
from karbor_backup_freezer.workflows.workflow import create_workflow
from karbor_backup_openstack.abilities import declare_abilities
from karbor_backup_openstack.connection import Connection
from karbor_backup_openstack.services import CloudServices

if TYPE_CHECKING:
    from keystoneauth1.session import Session

    from karbor_backup_contract import Harness

NAME: Final = "freezer"


class FreezerBackend:
    """OpenStack Freezer behind the contract of karbor-backup.

    Args:
        configuration: valid by ``CONFIG_SCHEMA``, its secrets wrapped.
        session: a keystoneauth session to use instead of what ``clouds.yaml`` or ``OS_*`` say.

    Raises:
        InvalidInput: the default storage is not among the storages.
    """

    CONFIG_SCHEMA: ClassVar[Mapping[str, Any]] = CONFIG_SCHEMA

    def __init__(
        self, configuration: Mapping[str, Any], *, session: "Session | None" = None
    ) -> None:
        self._configuration = Configuration.from_document(configuration)
        self._connection = Connection(self._configuration, session)
        self._client = FreezerHttpClient(self._connection)
        context = WorkflowContext.create(
            self._client, self._configuration, CloudServices(self._connection)
        )
        self._schedulers = context.schedulers
        self._agents = context.agent_versions
        self._workflow = create_workflow(context)

    @classmethod
    def contract_harness(
        cls, configuration: Mapping[str, Any]
    ) -> AbstractContextManager["Harness"]:
        """Give the contract suite a harness; ``configuration`` is what the constructor takes."""
        from karbor_backup_freezer.harness import create_live_harness

        return create_live_harness(cls, configuration)

    @hookimpl
    def describe(self) -> BackendInfo:
        """Describe what Freezer does for each type of resource."""
        abilities = declare_abilities(schemas.SCHEMAS_BY_TYPE)
        return BackendInfo(NAME, __version__, CONTRACT_VERSION, abilities)

    @hookimpl
    def scope(self) -> str:
        """Name Freezer's endpoint and the project."""
        return self._connection.scope

    @hookimpl
    def check(self) -> Health:
        """Look whether Freezer answers, has a scheduler, and what older programs of it lack."""
        return health.check_health(
            self._connection, self._client, self._schedulers, self._agents, self._configuration
        )

    @hookimpl
    def protect(self, operation: Operation) -> Progress:
        """Begin a protect, or go on with it."""
        _check_type(operation)
        return self._workflow.execute(operation)

    @hookimpl
    def restore(self, operation: Operation, own_paths: Sequence[str]) -> Progress:
        """Begin a restore, or go on with it."""
        _check_type(operation)
        return self._workflow.execute(operation, own_paths)

    @hookimpl
    def delete(self, operation: Operation) -> Progress:
        """Begin a delete, or go on with it."""
        _check_type(operation)
        return self._workflow.execute(operation)

    @hookimpl
    def verify(self, operation: Operation) -> Progress:
        """Look whether Freezer, the storage and Cinder still have the backup as it was made."""
        _check_type(operation)
        return self._workflow.execute(operation)

    @hookimpl
    def poll(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        """Look how the steps of the operations stand."""
        return self._workflow.status(operations)

    @hookimpl
    def cancel(self, operation: Operation) -> bool:
        """Ask for the present step to stop; a job can only be kept from being started."""
        return self._workflow.cancel(operation)

    @hookimpl
    def release(self, operation: Operation) -> Progress:
        """Remove what Freezer keeps of the operation, and what it made if it did not succeed."""
        return self._workflow.revert(operation)


def _check_type(operation: Operation) -> None:
    if operation.resource.type not in SUPPORTED_TYPES:
        known = ", ".join(sorted(SUPPORTED_TYPES))
        raise Unsupported(f"Freezer does not back up {operation.resource.type} (it does: {known})")
