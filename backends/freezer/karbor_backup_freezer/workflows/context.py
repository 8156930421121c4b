"""What the steps need to do their work."""

from collections.abc import Mapping
from typing import Any, Self

import attrs

from karbor_backup_core import BackendError, Backup, InvalidInput, Json, Operation, Resource
from karbor_backup_freezer.agent import actions
from karbor_backup_freezer.agent.escaping import check_backup_name
from karbor_backup_freezer.agent.temporary_resources import TemporaryResources
from karbor_backup_freezer.agent.versions import AgentVersions
from karbor_backup_freezer.api.client import Document, FreezerClient
from karbor_backup_freezer.api.job_cache import FinishedJobCache
from karbor_backup_freezer.api.records import list_job_records, record_job_id
from karbor_backup_freezer.api.schedulers import SchedulerRegistry
from karbor_backup_freezer.config import Configuration
from karbor_backup_freezer.directories.protect_guard import ProtectGuard
from karbor_backup_freezer.directories.restore_guard import RestoreGuard
from karbor_backup_freezer.discovery.discoverer import Discoverer
from karbor_backup_freezer.inspection.inspector import DataInspector
from karbor_backup_freezer.inspection.layout import BackupLocation
from karbor_backup_freezer.model.handle import Handle
from karbor_backup_freezer.model.items import BackupItem, DiscoveryResult, Mode
from karbor_backup_freezer.model.receipt import Receipt
from karbor_backup_freezer.model.resource_types import DIRECTORY
from karbor_backup_freezer.model.storages import Storage, find_storage
from karbor_backup_freezer.restore import ResourceRestorer
from karbor_backup_freezer.restore.preflight import Preflight
from karbor_backup_openstack.native_backups import NativeBackupClient
from karbor_backup_openstack.resource_types import PROJECT, SERVER, VOLUME
from karbor_backup_openstack.services import CloudServices

_DEFAULT_MODES = {
    DIRECTORY: Mode.FS,
    SERVER: Mode.NOVA,
    VOLUME: Mode.CINDER,
    PROJECT: Mode.TENANT,
}
"""How a resource is backed up that was not discovered."""


@attrs.frozen(kw_only=True)
class WorkflowContext:
    """Everything that a step may need; none of it holds state about an operation.

    Attributes:
        client: Freezer.
        schedulers: who can run jobs.
        configuration: storages and choices.
        ended: what polls have seen of jobs that have ended.
        discoverer: finds what a protect covers.
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
    schedulers: SchedulerRegistry
    configuration: Configuration
    finished_jobs: FinishedJobCache
    discoverer: Discoverer
    preflight: Preflight
    protect_guard: ProtectGuard
    restore_guard: RestoreGuard
    restorer: ResourceRestorer
    inspector: DataInspector
    native_backups: NativeBackupClient
    agent_versions: AgentVersions
    temporary_resources: TemporaryResources

    @classmethod
    def create(
        cls, client: FreezerClient, configuration: Configuration, services: CloudServices
    ) -> Self:
        """Make it for one Freezer and the cloud that it protects."""
        return cls(
            client=client,
            schedulers=SchedulerRegistry(client),
            configuration=configuration,
            finished_jobs=FinishedJobCache(),
            discoverer=Discoverer(services),
            preflight=Preflight(services),
            protect_guard=ProtectGuard(configuration.storages),
            restore_guard=RestoreGuard(configuration),
            restorer=ResourceRestorer(services, lambda id_: client.get_job(id_) is not None),
            inspector=DataInspector(configuration, services),
            native_backups=NativeBackupClient(services),
            agent_versions=AgentVersions(client, configuration.agent_version),
            temporary_resources=TemporaryResources(services),
        )

    def requested_scheduler(self, operation: Operation) -> str | None:
        """Return the client id of the scheduler that is to run the job, None to choose."""
        named: str | None = operation.options.get("scheduler", self.configuration.scheduler)
        return named

    def load_source(self, operation: Operation) -> tuple[Backup, Handle, Storage]:
        """Return the backup that an operation works on, and where it is.

        Raises:
            InvalidInput: there is none, it cannot be read, or its storage is not configured, or is
                of another kind now, or keeps this backup elsewhere.
        """
        backup = operation.backup
        if backup is None:
            raise InvalidInput(f"{operation.verb} needs a backup")
        handle = Handle.from_backup(backup)
        storage = find_storage(self.configuration.storages, backup.storage)
        if storage.kind.value != handle.kind:
            raise InvalidInput(
                f"backup {backup.id} is on a storage of kind {handle.kind!r}, but storage "
                f"{storage.name!r} is of kind {storage.kind.value!r} now"
            )
        container = storage.backup_container(self.configuration.container, backup.whole_id)
        if handle.container != container:
            raise InvalidInput(
                f"backup {backup.id} is said to be in {handle.container!r}, but storage "
                f"{storage.name!r} as configured keeps it in {container!r}: configure the path "
                "and the container that it was made with"
            )
        return backup, handle, storage

    def load_handle(self, operation: Operation) -> Handle:
        """Return the checked handle of an operation's backup; errors are those of ``source``."""
        return self.load_source(operation)[1]

    def verify_ownership(self, backup: Backup, handle: Handle) -> Mapping[str, Document]:
        """Check that what Freezer and Cinder keep of a backup is that backup's own.

        Returns:
            Freezer's records of it by id, without those that are gone.

        Raises:
            InvalidInput: a record, or one of Cinder's backups, belongs to something else.
            Transient: a repeat may help.
            BackendError: Freezer or Cinder refuses to tell.
        """
        natives = {s.native: s.item.id for s in handle.items if s.native}
        states = self.native_backups.get_backups(natives)
        strange = [
            id_ for id_, v in natives.items() if not states[id_].belongs_to(backup.whole_id, v)
        ]
        records = self._find_records(handle)
        strange += [id_ for id_, record in records.items() if record_job_id(record) != handle.job]
        if strange:
            raise InvalidInput(
                f"backup {backup.id}: its handle is damaged: {', '.join(strange)} belongs to "
                "something else"
            )
        return records

    def _find_records(self, handle: Handle) -> Mapping[str, Document]:
        """Return those of a handle's records that Freezer has, of whichever job they are."""
        wanted = {stored.record for stored in handle.items}
        found = self._list_records(handle) if len(wanted) > 1 else {}
        for missing in wanted - found.keys():
            if (record := self.client.get_backup(missing)) is not None:
                found[missing] = record
        if len(wanted) == 1 and not found:
            # It is not called gone on a single "not found".
            found = self._list_records(handle)
        return {id_: record for id_, record in found.items() if id_ in wanted}

    def _list_records(self, handle: Handle) -> dict[str, Document]:
        return {r["backup_id"]: r for r in list_job_records(self.client, handle.job)}

    def get_container(self, operation: Operation) -> str:
        """Return the container of what a protect stores, or of the backup that is worked on.

        Raises:
            InvalidInput: its storage is not configured, or the backup's handle is damaged.
        """
        if operation.backup is not None:
            return self.load_handle(operation).container
        storage = self.get_storage(operation, Receipt.from_operation(operation))
        return storage.backup_container(self.configuration.container, operation.id)

    def backup_location(self, operation: Operation, storage: Storage) -> BackupLocation:
        """Return where a protect stores, without the host's name.

        Raises:
            InvalidInput: the backup's name cannot be stored.
        """
        return BackupLocation(
            container=storage.backup_container(self.configuration.container, operation.id),
            backup_name=check_backup_name(operation.options["backup_name"]),
            hostname="",
        )

    def backup_actions(
        self, operation: Operation, discovery: DiscoveryResult, storage: Storage, hostname: str
    ) -> list[dict[str, Any]]:
        """Return the actions of a protect's job, one for each item."""
        location = attrs.evolve(self.backup_location(operation, storage), hostname=hostname)
        return [
            actions.backup_action(operation, index, item, location, storage)
            for index, item in enumerate(discovery.items)
        ]

    def restore_actions(
        self, operation: Operation, receipt: Receipt, handle: Handle, storage: Storage
    ) -> list[dict[str, Any]]:
        """Return the actions of a restore's job, one for each item.

        Raises:
            BackendError: there is no volume to restore one of Cinder's own backups to.
        """
        targets = self._target_volumes(handle, receipt.notes)
        return [
            actions.restore_action(
                operation, index, stored, handle.location, storage, targets.get(stored.item.id, "")
            )
            for index, stored in enumerate(handle.items)
        ]

    def _target_volumes(self, handle: Handle, notes: Json) -> Mapping[str, str]:
        """Return the volumes that Cinder's own backups are restored to, as far as they exist."""
        natives = [s.item for s in handle.items if s.item.mode is Mode.NATIVE]
        try:
            return {p.id: self.restorer.native_target(notes, p) for p in natives} if notes else {}
        except KeyError as error:
            raise BackendError(f"there is no volume to restore {error} to") from None

    def get_storage(self, operation: Operation, receipt: Receipt) -> Storage:
        """Return the storage that a protect stores to.

        Raises:
            InvalidInput: it is not configured.
        """
        named = receipt.storage or operation.options.get("storage")
        return self.configuration.choose_storage(named)


def get_discovery_result(operation: Operation) -> DiscoveryResult:
    """Return what a protect covers: what its receipt says, or the resource itself.

    Raises:
        BackendError: the receipt cannot be read.
    """
    receipt = Receipt.from_operation(operation)
    return (
        single_item_result(operation.resource)
        if receipt.discovery is None
        else receipt.load_discovery_result()
    )


def single_item_result(resource: Resource) -> DiscoveryResult:
    """Return the discovery of a resource that is all that there is to protect.

    Raises:
        BackendError: it is of a type that is not protected.
    """
    try:
        mode = _DEFAULT_MODES[resource.type]
    except KeyError:
        raise BackendError(f"a protect of {resource.type} has no job") from None
    item = BackupItem(type=resource.type, id=resource.id, name=resource.name, mode=mode)
    return DiscoveryResult(resource=resource, items=(item,))
