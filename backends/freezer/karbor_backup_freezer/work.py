"""Beginning the work of protect, restore and delete: one job each."""

import socket
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from karbor_backup_core import (
    BackendError,
    Backup,
    InvalidInput,
    Operation,
    Progress,
    ProgressState,
    Transient,
)
from karbor_backup_freezer import actions, placement
from karbor_backup_freezer.agent_text import COLUMN_LIMIT, check_folder_name
from karbor_backup_freezer.client import FreezerClient
from karbor_backup_freezer.config import Configuration
from karbor_backup_freezer.handles import Handle
from karbor_backup_freezer.identifiers import job_id
from karbor_backup_freezer.jobs import Job, job_document
from karbor_backup_freezer.receipts import Receipt
from karbor_backup_freezer.resources import DIRECTORY
from karbor_backup_freezer.schedulers import Scheduler, Schedulers
from karbor_backup_freezer.storages import Storage


class Work:
    """Begins the jobs that do an operation's work.

    Every method looks for the job first where its creation may have been asked for before, and
    creates only what is absent. Each raises ``InvalidInput`` before anything is begun,
    ``Transient`` or ``BackendError`` as Freezer answers.

    Args:
        client: Freezer.
        schedulers: who can run jobs.
        configuration: storages and choices.
    """

    def __init__(
        self, client: FreezerClient, schedulers: Schedulers, configuration: Configuration
    ) -> None:
        self._client = client
        self._schedulers = schedulers
        self._configuration = configuration

    def protect(self, operation: Operation) -> Progress:
        """Begin to back a resource up."""
        storage = self._configuration.choose_storage(operation.options.get("storage"))
        if begun := self._begun(operation, storage):
            return begun
        action = actions.backup_action(operation, storage, self._configuration)
        scheduler = placement.for_protect(
            self._schedulers, self._named(operation), operation.resource, action
        )
        if operation.resource.type == DIRECTORY:
            _check_directory(operation.resource.id, scheduler)
        if scheduler.hostname:
            # Named, so that any scheduler finds the backup under the same name later.
            action["hostname"] = scheduler.hostname
        check_folder_name(scheduler.hostname, operation.options["backup_name"])
        return self._begin(operation, scheduler, storage, action)

    def restore(self, operation: Operation) -> Progress:
        """Begin to restore a backup."""
        backup, handle, storage = self._source(operation)
        if begun := self._begun(operation, storage):
            return begun
        action = actions.restore_action(backup, handle, storage, operation.options)
        return self._begin_at(operation, handle, storage, action)

    def delete(self, operation: Operation) -> Progress:
        """Begin to remove a backup's data; in its second phase, remove Freezer's record of it."""
        backup, handle, storage = self._source(operation)
        if operation.phase > 1:
            self._client.delete("backups", handle.record)
            return Progress(ProgressState.SUCCEEDED)
        if begun := self._begun(operation, storage):
            return begun
        action = actions.removal_action(backup, handle, storage)
        return self._begin_at(operation, handle, storage, action)

    def _source(self, operation: Operation) -> tuple[Backup, Handle, Storage]:
        backup = operation.backup
        if backup is None:
            raise InvalidInput(f"{operation.verb} needs a backup")
        handle = Handle.of(backup)
        return backup, handle, actions.storage_of(backup, handle, self._configuration)

    def _named(self, operation: Operation) -> str | None:
        named: str | None = operation.options.get("scheduler", self._configuration.scheduler)
        return named

    def _begin_at(
        self, operation: Operation, handle: Handle, storage: Storage, action: Mapping[str, Any]
    ) -> Progress:
        scheduler = placement.for_backup(
            self._schedulers, self._named(operation), handle, storage, action
        )
        return self._begin(operation, scheduler, storage, action)

    def _begun(self, operation: Operation, storage: Storage) -> Progress | None:
        """Answer for a job that an earlier attempt has created, None where there is none."""
        if operation.attempt <= 1:
            return None
        found = self._client.job(job_id(operation.id))
        return None if found is None else _running(operation, Job.read(found).client, storage)

    def _begin(
        self,
        operation: Operation,
        scheduler: Scheduler,
        storage: Storage,
        action: Mapping[str, Any],
    ) -> Progress:
        identifier = job_id(operation.id)
        document = job_document(identifier, scheduler.client_id, _description(operation), action)
        try:
            created = self._client.create_job(document)
        except Transient:
            raise
        except BackendError:
            self._schedulers.forget()
            raise
        if not created and self._client.job(identifier) is None:
            raise Transient(
                f"Freezer says that the id of job {identifier} is in use and that there is no such "
                "job; it stays so if somebody has deleted the job"
            )
        return _running(operation, scheduler.client_id, storage)


def _description(operation: Operation) -> str:
    resource = operation.resource
    given: str = operation.options.get("description", "")
    if len(given) > COLUMN_LIMIT:
        raise InvalidInput(
            f"description: {len(given)} characters, and Freezer keeps at most {COLUMN_LIMIT}"
        )
    return given or f"karbor-backup {operation.verb} of {resource.type} {resource.id}"


def _running(operation: Operation, client_id: str, storage: Storage) -> Progress:
    receipt = Receipt(client=client_id, storage=storage.name, doubt=operation.attempt > 1)
    return Progress(ProgressState.RUNNING, receipt=receipt.document())


def _check_directory(path: str, scheduler: Scheduler) -> None:
    """Refuse a directory that is not there, where that can be seen: on this very host."""
    if scheduler.hostname != socket.gethostname():
        return
    try:
        mode = Path(path).stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise InvalidInput(f"directory {path!r} is not there on this host") from None
    except OSError:
        return
    if not stat.S_ISDIR(mode):
        raise InvalidInput(f"directory {path!r} is no directory: name the one that holds it")
