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
    InvalidInput,
    Operation,
    Progress,
    Support,
    Transient,
    Verb,
    __version__,
    hookimpl,
)
from karbor_backup_freezer import records, schemas
from karbor_backup_freezer.client import FreezerClient
from karbor_backup_freezer.config import CONFIG_SCHEMA, Configuration
from karbor_backup_freezer.connection import Connection
from karbor_backup_freezer.identifiers import job_id
from karbor_backup_freezer.jobs import Job, Stage
from karbor_backup_freezer.memory import EndedJobs
from karbor_backup_freezer.polling import Poller
from karbor_backup_freezer.release import Releaser
from karbor_backup_freezer.resources import COVERED, DIRECTORY, KINDS
from karbor_backup_freezer.schedulers import Schedulers
from karbor_backup_freezer.work import Work

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
        self._client = FreezerClient(self._connection, self._configuration.timeout)
        self._schedulers = Schedulers(self._client)
        ended = EndedJobs()
        self._work = Work(self._client, self._schedulers, self._configuration)
        self._poller = Poller(self._client, self._configuration, ended)
        self._releaser = Releaser(self._client, self._configuration, ended)

    @classmethod
    def contract_bench(cls, configuration: Mapping[str, Any]) -> AbstractContextManager["Bench"]:
        """Give the contract suite a bench; ``configuration`` is what the constructor takes."""
        from karbor_backup_freezer.bench import live_bench

        return live_bench(cls, configuration)

    @hookimpl
    def describe(self) -> BackendInfo:
        """Describe what Freezer does for each type of resource."""
        abilities: dict[str, Mapping[Verb, Ability]] = {
            kind: _supported(kind == DIRECTORY) for kind in KINDS
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
        """Look whether Freezer answers and has a scheduler."""
        self._schedulers.forget()
        try:
            schedulers = self._schedulers.all()
            endpoint = self._connection.endpoint
        except BackendError as error:
            return Health(ok=False, summary=str(error))
        storages = {name: s.kind.value for name, s in self._configuration.storages.items()}
        hosts = {s.client_id: s.hostname for s in schedulers}
        details = {"endpoint": endpoint, "schedulers": hosts, "storages": storages}
        if not schedulers:
            return Health(
                ok=False, summary=f"no scheduler is registered at {endpoint}", details=details
            )
        return Health(
            ok=True, summary=f"{len(schedulers)} schedulers at {endpoint}", details=details
        )

    @hookimpl
    def protect(self, operation: Operation) -> Progress:
        """Begin the job that backs the resource up."""
        return self._work.protect(operation)

    @hookimpl
    def restore(self, operation: Operation) -> Progress:
        """Begin the job that restores the backup."""
        return self._work.restore(operation)

    @hookimpl
    def delete(self, operation: Operation) -> Progress:
        """Begin the job that removes the backup's data; then remove its record."""
        return self._work.delete(operation)

    @hookimpl
    def verify(self, operation: Operation) -> Progress:
        """Look whether Freezer still knows the backup as it was made."""
        if operation.backup is None:
            raise InvalidInput("verify needs a backup")
        return records.verified(self._client, operation.backup)

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
        document = self._client.job(job_id(operation.id))
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


def _supported(directory: bool) -> Mapping[Verb, Ability]:  # noqa: FBT001 - it has one caller
    restore = schemas.RESTORE_DIRECTORY if directory else schemas.RESTORE
    return {
        Verb.PROTECT: Ability(Support.SUPPORTED, schema=schemas.PROTECT),
        Verb.RESTORE: Ability(Support.SUPPORTED, schema=restore),
        Verb.DELETE: Ability(Support.SUPPORTED, schema=schemas.DELETE),
        Verb.VERIFY: Ability(Support.SUPPORTED, schema=schemas.VERIFY),
    }
