"""What the verbs have in common."""

import abc
from collections.abc import Sequence
from typing import ClassVar, Final

import attrs

from karbor_backup_core import (
    Backup,
    Check,
    InvalidInput,
    Leftover,
    Operation,
    Progress,
    ProgressState,
)
from karbor_backup_process import Command, JobStatus, ProcessJob
from karbor_backup_restic import _output, _paths
from karbor_backup_restic._abilities import OUTPUT
from karbor_backup_restic._notes import Handle
from karbor_backup_restic._paths import OwnPaths
from karbor_backup_restic._repository import Repository, Snapshot
from karbor_backup_restic._restic import Restic

STORAGE: Final = "restic"
"""The name of the storage that all backups are in: the repository."""

WORKING: Final = 1
"""The phase in which the job is started; it is repeated, under the next number, after a lock."""


@attrs.frozen
class VerbWork(abc.ABC):
    """The work of one verb, around the job that does it.

    Attributes:
        restic: the program.
        repository: the repository.
        own: paths that a protect must not read and a restore must not touch.
    """

    restic: Restic
    repository: Repository
    own: OwnPaths

    label: ClassVar[str]
    """The verb in a message about restic."""

    takes_lock: ClassVar[bool] = False
    """Whether the job locks the repository, and so may have to wait for another restic."""

    def validate(self, operation: Operation, own_paths: Sequence[str]) -> None:
        """Refuse what can be seen to be wrong without the repository.

        Raises:
            InvalidInput: it cannot be done as asked.
            BackendError: another release has written the backup's handle.
        """
        _paths.check_id(operation.resource)
        if operation.backup is not None:
            Handle.of(operation.backup)

    @abc.abstractmethod
    def prepare(
        self, operation: Operation, own_paths: Sequence[str], job: ProcessJob
    ) -> Progress | Sequence[Command]:
        """Return the commands of the job, or the result where none is needed.

        It is called while the job is claimed: nobody else can start it meanwhile.
        """

    @abc.abstractmethod
    def read_success(self, operation: Operation, job: ProcessJob, status: JobStatus) -> Progress:
        """Return what a job that has ended well means for the operation."""

    def find_snapshot(
        self, operation: Operation, repository: Repository | None = None
    ) -> Snapshot | None:
        """Return the snapshot of the backup that an operation works on; None if it is gone.

        Args:
            operation: the operation.
            repository: where the backup lies; None for the own repository.

        Raises:
            InvalidInput: the backup's handle is damaged, or belongs to another backup.
            BackendError, Transient: as ``Repository.snapshots``.
        """
        backup = backup_of(operation)
        found = Handle.of(backup).choose(backup, (repository or self.repository).snapshots())
        if found is not None and operation.resource.type == OUTPUT:
            _check_output(backup, found)
        return found

    def failure_reason(self, operation: Operation, job: ProcessJob, status: JobStatus) -> str:
        """Return why a job has failed, in one line."""
        return _output.failure_reason(job, status, self.label)

    def read_running(self, operation: Operation, job: ProcessJob) -> Progress:
        """Return how far a job is."""
        return Progress(ProgressState.RUNNING)

    def finish(self, operation: Operation, jobs: Sequence[ProcessJob]) -> list[Leftover]:
        """Remove what a success need not keep; return what could not be removed."""
        return []

    def revert(self, operation: Operation, jobs: Sequence[ProcessJob]) -> list[Leftover]:
        """Undo what an operation made that has not succeeded; return what is left."""
        return []

    def name_unused_data(self, done: str) -> Leftover:
        """Return what only a prune can remove after work that did not succeed.

        Args:
            done: what restic may have done with the data: "uploaded", "copied".
        """
        note = f"restic may have {done} data, which stays until the next 'restic prune'"
        return Leftover("unused data", self.restic.configuration.repository, note)


def _check_output(backup: Backup, found: Snapshot) -> None:
    """Refuse a document that names another command than the one whose output it is."""
    if found.paths != (f"/{backup.resource.id}",):
        raise InvalidInput(
            f"backup {backup.id}: its snapshot holds {', '.join(found.paths) or 'nothing'}, and "
            f"not the output of {backup.resource.id}: use a copy of the backup's document"
        )


def backup_of(operation: Operation) -> Backup:
    """Return the backup that an operation works on."""
    assert operation.backup is not None  # noqa: S101 - the core's planning sees to it
    return operation.backup


def protect_progress(handle: Handle, checks: Sequence[Check]) -> Progress:
    """Return the success of an operation that has made a snapshot."""
    return Progress(
        ProgressState.SUCCEEDED,
        done=handle.size or None,
        total=handle.size or None,
        unit="bytes" if handle.size else "",
        handle=handle.to_document(),
        storage=STORAGE,
        checks=tuple(checks),
    )
