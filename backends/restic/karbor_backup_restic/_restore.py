"""Restore: ``restic restore`` into a directory beside the target, then a rename."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from karbor_backup_core import InvalidInput, Leftover, Operation, Progress, ProgressState, Resource
from karbor_backup_process import Command, JobStatus, ProcessJob, ProcessJobs
from karbor_backup_restic import _output, _paths
from karbor_backup_restic._staging import Staging
from karbor_backup_restic._verb import WORKING, VerbWork, backup_of


class Restore(VerbWork):
    """Restores a directory or file."""

    label: ClassVar[str] = "restore"

    def validate(self, operation: Operation, own_paths: Sequence[str]) -> None:
        """Refuse a target that cannot be made, and a damaged handle."""
        super().validate(operation, own_paths)
        _paths.check_target(operation, self.target(operation), self.own, own_paths)

    def target(self, operation: Operation) -> str:
        """Return the path that a restore is to make.

        Raises:
            InvalidInput: it cannot be one.
        """
        beside = f"{_paths.parse_path(operation.resource.id)}~{operation.id}"
        return _paths.check_name(operation.options.get("path", beside))

    def prepare(
        self, operation: Operation, own_paths: Sequence[str], job: ProcessJob
    ) -> Progress | Sequence[Command]:
        """Return the command that restores all data beside the target."""
        self.validate(operation, own_paths)
        snapshot = self.find_snapshot(operation)
        if snapshot is None:
            return snapshot_gone(operation)
        staging = self.create_staging(operation, job.directory)
        command = self.restic.command(
            *("restore", "--no-lock", "--json", "--target", str(staging.restored), snapshot.id)
        )
        staging.create()
        return (command,)

    def place(self, operation: Operation, own_paths: Sequence[str], jobs: ProcessJobs) -> Progress:
        """Give what was restored its name."""
        staging = self.create_staging(operation, jobs.job(operation.id, WORKING).directory)
        target = self.target(operation)
        staging.place(lambda: _paths.check_target(operation, target, self.own, own_paths))
        return self._success(operation)

    def read_running(self, operation: Operation, job: ProcessJob) -> Progress:
        """Return how many bytes are restored, where this release of restic says it."""
        return _output.read_progress(job)

    def read_success(
        self,
        operation: Operation,
        job: ProcessJob,
        status: JobStatus,
    ) -> Progress:
        """Return that what was restored can get its name."""
        return Progress(ProgressState.READY)

    def read_placed(self, operation: Operation, jobs: ProcessJobs) -> Progress:
        """Return whether what was restored has its name."""
        staging = self.create_staging(operation, jobs.job(operation.id, WORKING).directory)
        if staging.is_placed():
            return self._success(operation)
        return Progress(ProgressState.UNKNOWN)

    def finish(self, operation: Operation, jobs: Sequence[ProcessJob]) -> list[Leftover]:
        """Remove what was replaced, and the directory that all data was restored to."""
        return [
            each for job in jobs for each in self.create_staging(operation, job.directory).remove()
        ]

    def revert(self, operation: Operation, jobs: Sequence[ProcessJob]) -> list[Leftover]:
        """Remove what was restored, and put back what it has replaced."""
        try:
            self.target(operation)
        except InvalidInput:  # it was refused for that, before anything was made
            return []
        notes = [job.directory for job in jobs] or [Path("/nonexistent")]
        return [each for note in notes for each in self.create_staging(operation, note).undo()]

    def create_staging(self, operation: Operation, notes: Path) -> Staging:
        """Return the staging of a restore.

        Args:
            operation: the restore.
            notes: the directory of its job.

        Raises:
            InvalidInput: the path that it is to make cannot be one.
        """
        return Staging(operation, Path(self.target(operation)), notes)

    def _success(self, operation: Operation) -> Progress:
        target = self.target(operation)
        resource = Resource(operation.resource.type, target, Path(target).name)
        return Progress(ProgressState.SUCCEEDED, resources=(resource,))


def snapshot_gone(operation: Operation) -> Progress:
    """Return the failure of work on a backup that is gone."""
    backup = backup_of(operation)
    return Progress(
        ProgressState.FAILED,
        reason=f"backup {backup.id} is gone: the repository holds no snapshot with its tag",
    )
