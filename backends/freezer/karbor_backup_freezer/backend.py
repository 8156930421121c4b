"""The backend: its description and its hooks."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, ClassVar, Final

from karbor_backup_core import (
    CONTRACT_VERSION,
    Ability,
    BackendError,
    BackendInfo,
    Health,
    Operation,
    Progress,
    Support,
    Transient,
    Unsupported,
    Verb,
    __version__,
    hookimpl,
)
from karbor_backup_freezer import health, schemas
from karbor_backup_freezer.api.connection import Connection
from karbor_backup_freezer.api.http_client import FreezerHttpClient
from karbor_backup_freezer.api.jobs import Job, JobState
from karbor_backup_freezer.cloud.services import CloudServices
from karbor_backup_freezer.config import CONFIG_SCHEMA, Configuration
from karbor_backup_freezer.model.ids import job_id, work_step
from karbor_backup_freezer.model.receipt import Receipt
from karbor_backup_freezer.model.resource_types import COVERED, SUPPORTED_TYPES
from karbor_backup_freezer.workflows.context import WorkflowContext
from karbor_backup_freezer.workflows.delete import Delete
from karbor_backup_freezer.workflows.polling import JobPoller
from karbor_backup_freezer.workflows.protect import Protect
from karbor_backup_freezer.workflows.release import Releaser
from karbor_backup_freezer.workflows.restore import Restore
from karbor_backup_freezer.workflows.verify import Verify

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
        self._protect = Protect(context)
        self._restore = Restore(context)
        self._delete = Delete(context)
        self._verify = Verify(context)
        self._poller = JobPoller(context)
        self._releaser = Releaser(context)

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
        abilities: dict[str, Mapping[Verb, Ability]] = {
            kind: {
                verb: Ability(Support.SUPPORTED, schema=schema) for verb, schema in verbs.items()
            }
            for kind, verbs in schemas.SCHEMAS_BY_TYPE.items()
        }
        for kind, by in COVERED.items():
            covered = Ability(Support.COVERED, covered_by=by)
            abilities[kind] = dict.fromkeys(Verb, covered)
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
        """Take the next step of a protect: survey, job, a look at what is stored."""
        _check_type(operation)
        return self._protect.execute(operation)

    @hookimpl
    def restore(self, operation: Operation, own_paths: Sequence[str]) -> Progress:
        """Take the next step of a restore: preflight, job, rebuild."""
        _check_type(operation)
        return self._restore.execute(operation, own_paths)

    @hookimpl
    def delete(self, operation: Operation) -> Progress:
        """Take the next step of a delete: job, Cinder's own backups, records."""
        _check_type(operation)
        return self._delete.execute(operation)

    @hookimpl
    def verify(self, operation: Operation) -> Progress:
        """Look whether Freezer, the storage and Cinder still have the backup as it was made."""
        _check_type(operation)
        return self._verify.execute(operation)

    @hookimpl
    def poll(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        """Look how the operations' jobs stand."""
        return self._poller.poll(operations)

    @hookimpl
    def cancel(self, operation: Operation) -> bool:
        """Ask the scheduler not to start the job, if it has not started yet.

        Freezer 19.0.0 cannot stop an agent that runs: ``abort`` does nothing, and on a job that
        has no process yet it stops its scheduler's polling for all jobs.
        """
        if operation.verb is Verb.VERIFY:
            # It reads what is stored; the next poll ends it.
            return True
        present = work_step(Receipt.from_operation(operation).jobs)
        document = self._client.get_job(job_id(operation.id, present))
        if document is None or Job.from_document(document).state is not JobState.WAITING:
            return False
        try:
            self._client.stop_job(document["job_id"])
        except Transient:
            raise
        except BackendError:
            return False
        return True

    @hookimpl
    def release(self, operation: Operation) -> Progress:
        """Remove what Freezer keeps of the operation."""
        return self._releaser.release(operation)


def _check_type(operation: Operation) -> None:
    if operation.resource.type not in SUPPORTED_TYPES:
        known = ", ".join(sorted(SUPPORTED_TYPES))
        raise Unsupported(f"Freezer does not back up {operation.resource.type} (it does: {known})")
