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
from karbor_backup_freezer.client import FreezerClient
from karbor_backup_freezer.cloud.services import CloudServices
from karbor_backup_freezer.config import CONFIG_SCHEMA, Configuration
from karbor_backup_freezer.connection import Connection
from karbor_backup_freezer.identifiers import job_id, work_step
from karbor_backup_freezer.jobs import Job, Stage
from karbor_backup_freezer.polling import Poller
from karbor_backup_freezer.receipts import Receipt
from karbor_backup_freezer.release import Releaser
from karbor_backup_freezer.resources import COVERED, KINDS
from karbor_backup_freezer.steps.delete import Delete
from karbor_backup_freezer.steps.protect import Protect
from karbor_backup_freezer.steps.restore import Restore
from karbor_backup_freezer.steps.verify import Verify
from karbor_backup_freezer.steps.work import Work

if TYPE_CHECKING:
    from keystoneauth1.session import Session

    from karbor_backup_core.contract import Bench

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
        self._configuration = Configuration.read(configuration)
        self._connection = Connection(self._configuration, session)
        self._client = FreezerClient(self._connection)
        work = Work.of(self._client, self._configuration, CloudServices(self._connection))
        self._schedulers = work.schedulers
        self._agents = work.agents
        self._protect = Protect(work)
        self._restore = Restore(work)
        self._delete = Delete(work)
        self._verify = Verify(work)
        self._poller = Poller(work)
        self._releaser = Releaser(work)

    @classmethod
    def contract_bench(cls, configuration: Mapping[str, Any]) -> AbstractContextManager["Bench"]:
        """Give the contract suite a bench; ``configuration`` is what the constructor takes."""
        from karbor_backup_freezer.bench import live_bench

        return live_bench(cls, configuration)

    @hookimpl
    def describe(self) -> BackendInfo:
        """Describe what Freezer does for each type of resource."""
        abilities: dict[str, Mapping[Verb, Ability]] = {
            kind: {
                verb: Ability(Support.SUPPORTED, schema=schema) for verb, schema in verbs.items()
            }
            for kind, verbs in schemas.VERBS.items()
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
        return health.look(
            self._connection, self._client, self._schedulers, self._agents, self._configuration
        )

    @hookimpl
    def protect(self, operation: Operation) -> Progress:
        """Take the next step of a protect: survey, job, a look at what is stored."""
        _check_kind(operation)
        return self._protect.step(operation)

    @hookimpl
    def restore(self, operation: Operation, own_paths: Sequence[str]) -> Progress:
        """Take the next step of a restore: preflight, job, rebuild."""
        _check_kind(operation)
        return self._restore.step(operation, own_paths)

    @hookimpl
    def delete(self, operation: Operation) -> Progress:
        """Take the next step of a delete: job, Cinder's own backups, records."""
        _check_kind(operation)
        return self._delete.step(operation)

    @hookimpl
    def verify(self, operation: Operation) -> Progress:
        """Look whether Freezer, the storage and Cinder still have the backup as it was made."""
        _check_kind(operation)
        return self._verify.step(operation)

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
        present = work_step(Receipt.of(operation).jobs)
        document = self._client.job(job_id(operation.id, present))
        if document is None or Job.read(document).stage is not Stage.WAITING:
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


def _check_kind(operation: Operation) -> None:
    if operation.resource.type not in KINDS:
        known = ", ".join(sorted(KINDS))
        raise Unsupported(f"Freezer does not back up {operation.resource.type} (it does: {known})")
