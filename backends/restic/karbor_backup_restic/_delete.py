"""Delete: ``restic forget`` of exactly one snapshot."""

from collections.abc import Sequence
from typing import ClassVar

from karbor_backup_core import Operation, Progress, ProgressState
from karbor_backup_process import Command, JobStatus, ProcessJob
from karbor_backup_restic._verb import VerbWork


class Delete(VerbWork):
    """Removes the snapshot of a backup; its space comes back with the next ``restic prune``."""

    label: ClassVar[str] = "forget"
    takes_lock: ClassVar[bool] = True

    def prepare(
        self,
        operation: Operation,
        own_paths: Sequence[str],
        job: ProcessJob,
    ) -> Progress | Sequence[Command]:
        """Return the command; a snapshot that is gone is the result."""
        self.validate(operation, own_paths)
        snapshot = self.find_snapshot(operation)
        if snapshot is None:
            return Progress(ProgressState.SUCCEEDED)
        return (self.restic.command("forget", "--quiet", snapshot.id),)

    def read_success(
        self,
        operation: Operation,
        job: ProcessJob,
        status: JobStatus,
    ) -> Progress:
        """Return the success."""
        return Progress(ProgressState.SUCCEEDED)
