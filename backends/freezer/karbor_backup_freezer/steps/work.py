"""What the steps need to do their work."""

from collections.abc import Mapping
from typing import Self

import attrs

from karbor_backup_core import BackendError, Backup, InvalidInput, Operation, Resource
from karbor_backup_freezer.agents import Agents
from karbor_backup_freezer.client import Document, FreezerClient
from karbor_backup_freezer.cloud.services import CloudServices
from karbor_backup_freezer.config import Configuration
from karbor_backup_freezer.directories.protect_guard import ProtectGuard
from karbor_backup_freezer.directories.restore_guard import RestoreGuard
from karbor_backup_freezer.handles import Handle
from karbor_backup_freezer.memory import EndedJobs
from karbor_backup_freezer.native import NativeBackups
from karbor_backup_freezer.pieces import Mode, Piece, Survey
from karbor_backup_freezer.preflight import Preflight
from karbor_backup_freezer.rebuild import Rebuild
from karbor_backup_freezer.receipts import Receipt
from karbor_backup_freezer.records import all_records_of, job_of
from karbor_backup_freezer.resources import DIRECTORY, PROJECT, SERVER, VOLUME
from karbor_backup_freezer.schedulers import Schedulers
from karbor_backup_freezer.storages import Storage, find_storage
from karbor_backup_freezer.stored.data import StoredData
from karbor_backup_freezer.survey.surveyor import Surveyor
from karbor_backup_freezer.temporary import Temporary

_MODES = {
    DIRECTORY: Mode.FS,
    SERVER: Mode.NOVA,
    VOLUME: Mode.CINDER,
    PROJECT: Mode.TENANT,
}
"""How a resource is backed up that was not surveyed."""


@attrs.frozen(kw_only=True)
class Work:
    """Everything that a step may need; none of it holds state about an operation.

    Attributes:
        client: Freezer.
        schedulers: who can run jobs.
        configuration: storages and choices.
        ended: what polls have seen of jobs that have ended.
        surveyor: finds out what a protect covers.
        preflight: finds out whether a restore has what it needs.
        protect_guard: finds out what a backup of a directory will lack.
        restore_guard: refuses restores of directories that would do damage.
        rebuild: makes resources of what the agent brought back.
        data: looks at what is stored.
        natives: Cinder's own backups.
        agents: the versions of freezer-agent.
        temporary: what the agent leaves in the cloud.
    """

    client: FreezerClient
    schedulers: Schedulers
    configuration: Configuration
    ended: EndedJobs
    surveyor: Surveyor
    preflight: Preflight
    protect_guard: ProtectGuard
    restore_guard: RestoreGuard
    rebuild: Rebuild
    data: StoredData
    natives: NativeBackups
    agents: Agents
    temporary: Temporary

    @classmethod
    def of(
        cls, client: FreezerClient, configuration: Configuration, services: CloudServices
    ) -> Self:
        """Make it for one Freezer and the cloud that it protects."""
        return cls(
            client=client,
            schedulers=Schedulers(client),
            configuration=configuration,
            ended=EndedJobs(),
            surveyor=Surveyor(services),
            preflight=Preflight(services),
            protect_guard=ProtectGuard(configuration.storages),
            restore_guard=RestoreGuard(configuration),
            rebuild=Rebuild(services, lambda id_: client.job(id_) is not None),
            data=StoredData(configuration, services),
            natives=NativeBackups(services),
            agents=Agents(client, configuration.agent_version),
            temporary=Temporary(services),
        )

    def scheduler_named(self, operation: Operation) -> str | None:
        """The client id of the scheduler that is to run the job, None to choose."""
        named: str | None = operation.options.get("scheduler", self.configuration.scheduler)
        return named

    def source(self, operation: Operation) -> tuple[Backup, Handle, Storage]:
        """The backup that an operation works on, and where it is.

        Raises:
            InvalidInput: there is none, it cannot be read, or its storage is not configured, or is
                of another kind now, or keeps this backup elsewhere.
        """
        backup = operation.backup
        if backup is None:
            raise InvalidInput(f"{operation.verb} needs a backup")
        handle = Handle.of(backup)
        storage = find_storage(self.configuration.storages, backup.storage)
        if storage.kind.value != handle.kind:
            raise InvalidInput(
                f"backup {backup.id} is on a storage of kind {handle.kind!r}, but storage "
                f"{storage.name!r} is of kind {storage.kind.value!r} now"
            )
        container = storage.container(self.configuration.container, backup.whole_id)
        if handle.container != container:
            raise InvalidInput(
                f"backup {backup.id} is said to be in {handle.container!r}, but storage "
                f"{storage.name!r} as configured keeps it in {container!r}: configure the path "
                "and the container that it was made with"
            )
        return backup, handle, storage

    def handle_of(self, operation: Operation) -> Handle:
        """Return the checked handle of an operation's backup; errors are those of ``source``."""
        return self.source(operation)[1]

    def prove(self, backup: Backup, handle: Handle) -> Mapping[str, Document]:
        """Check that what Freezer and Cinder keep of a backup is that backup's own.

        Returns:
            Freezer's records of it by id, without those that are gone.

        Raises:
            InvalidInput: a record, or one of Cinder's backups, belongs to something else.
            Transient: a repeat may help.
            BackendError: Freezer or Cinder refuses to tell.
        """
        natives = {s.native: s.piece.id for s in handle.pieces if s.native}
        states = self.natives.states(natives)
        strange = [id_ for id_, v in natives.items() if not states[id_].is_of(backup.whole_id, v)]
        records = self._records(handle)
        strange += [id_ for id_, record in records.items() if job_of(record) != handle.job]
        if strange:
            raise InvalidInput(
                f"backup {backup.id}: its handle is damaged: {', '.join(strange)} belongs to "
                "something else"
            )
        return records

    def _records(self, handle: Handle) -> Mapping[str, Document]:
        """Return those of a handle's records that Freezer has, of whichever job they are."""
        wanted = {stored.record for stored in handle.pieces}
        found = self._listed(handle) if len(wanted) > 1 else {}
        for missing in wanted - found.keys():
            if (record := self.client.backup(missing)) is not None:
                found[missing] = record
        if len(wanted) == 1 and not found:
            # It is not called gone on a single "not found".
            found = self._listed(handle)
        return {id_: record for id_, record in found.items() if id_ in wanted}

    def _listed(self, handle: Handle) -> dict[str, Document]:
        return {r["backup_id"]: r for r in all_records_of(self.client, handle.job)}

    def container_of(self, operation: Operation) -> str:
        """Return the container of what a protect stores, or of the backup that is worked on.

        Raises:
            InvalidInput: its storage is not configured, or the backup's handle is damaged.
        """
        if operation.backup is not None:
            return self.handle_of(operation).container
        storage = self.storage_of(operation, Receipt.of(operation))
        return storage.container(self.configuration.container, operation.id)

    def storage_of(self, operation: Operation, receipt: Receipt) -> Storage:
        """The storage that a protect stores to.

        Raises:
            InvalidInput: it is not configured.
        """
        named = receipt.storage or operation.options.get("storage")
        return self.configuration.choose_storage(named)


def covered(operation: Operation) -> Survey:
    """What a protect covers: what its receipt says, or the resource itself.

    Raises:
        BackendError: the receipt cannot be read.
    """
    receipt = Receipt.of(operation)
    return alone(operation.resource) if receipt.survey is None else receipt.surveyed()


def alone(resource: Resource) -> Survey:
    """The survey of a resource that is all that there is to protect.

    Raises:
        BackendError: it is of a type that is not protected.
    """
    try:
        mode = _MODES[resource.type]
    except KeyError:
        raise BackendError(f"a protect of {resource.type} has no job") from None
    piece = Piece(type=resource.type, id=resource.id, name=resource.name, mode=mode)
    return Survey(resource=resource, pieces=(piece,))
