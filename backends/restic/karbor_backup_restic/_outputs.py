"""The output of a command: ``restic backup --stdin``, and its way back to a file or a command."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final

import attrs

from karbor_backup_core import (
    Check,
    InvalidInput,
    Leftover,
    Operation,
    Progress,
    ProgressState,
    Resource,
)
from karbor_backup_process import Command, JobState, JobStatus, ProcessJob
from karbor_backup_restic import _errors, _output, _paths, _repository
from karbor_backup_restic._abilities import OUTPUT
from karbor_backup_restic._commands import OutputCommand, find_command
from karbor_backup_restic._protect import Protect
from karbor_backup_restic._restore import Restore, snapshot_gone
from karbor_backup_restic._staging import Staging

_SOURCE: Final = "source.err"


class ProtectOutput(Protect):
    """Stores what a command writes in a snapshot, as a file with the command's name."""

    def validate(self, operation: Operation, own_paths: Sequence[str]) -> None:
        """Refuse what the configuration does not name."""
        self._find(operation).create_dump()

    def prepare(
        self, operation: Operation, own_paths: Sequence[str], job: ProcessJob
    ) -> Progress | Sequence[Command]:
        """Return the commands; what an earlier call has made may be half of an output."""
        source = self._find(operation).create_dump()
        self.repository.forget(operation.id)
        password = self.restic.configuration.reveal_password()
        backup = self.restic.command(
            *("backup", "--json", "--tag", f"{_repository.TAG},{operation.id}"),
            *("--stdin", "--stdin-filename", operation.resource.id),
            password=password,
            source=source,
        )
        listing = _repository.snapshots_arguments(operation.id)
        return (backup, self.restic.command(*listing, password=password))

    def read_running(self, operation: Operation, job: ProcessJob) -> Progress:
        """Return how many bytes restic has read; nobody knows how many there will be."""
        done = _output.read_done(job)
        return Progress(ProgressState.RUNNING, done=done, unit="bytes" if done else "")

    def read_checks(self, job: ProcessJob, status: JobStatus) -> list[Check]:
        """Return that the command has ended well, without which there is no snapshot."""
        return [Check("the command has ended well", verified=True)]

    def failure_reason(self, operation: Operation, job: ProcessJob, status: JobStatus) -> str:
        """Return what the command says, or restic."""
        if not status.source_error:
            return super().failure_reason(operation, job, status)
        told = _errors.last_line(job.read_lines(status.last_command, _SOURCE))
        return ": ".join(filter(None, (_label(operation), status.source_error, told)))

    def _find(self, operation: Operation) -> OutputCommand:
        return find_command(self.restic.configuration.commands, operation.resource.id)


class RestoreOutput(Restore):
    """Restores the output of a command to a file, or into the command that reads it."""

    label: ClassVar[str] = "dump"

    def read_running(self, operation: Operation, job: ProcessJob) -> Progress:
        """Return that it runs; a command does not say how far it is."""
        if _into_command(operation):
            return Progress(ProgressState.RUNNING)
        return super().read_running(operation, job)

    def target(self, operation: Operation) -> str:
        """Return the path that a restore to a file is to make."""
        directory = self.restic.configuration.output_directory
        if "path" not in operation.options and directory is None:
            raise InvalidInput(
                "say where the output is to be restored to (path=FILE), or name an "
                "output_directory in the backend's configuration"
            )
        beside = Path(directory or "/", f"{operation.resource.id}~{operation.id}")
        return _paths.check_name(operation.options.get("path", str(beside)))

    def validate(self, operation: Operation, own_paths: Sequence[str]) -> None:
        """Refuse a target that cannot be made, or a command that cannot be started."""
        if not _into_command(operation):
            super().validate(operation, own_paths)
            return
        self.validate_backup(operation)
        if {"path", "replace"} & set(operation.options):
            raise InvalidInput("into_command restores to no file: leave out path and replace")
        self._find(operation).create_restore(Command(("true",)))

    def prepare(
        self, operation: Operation, own_paths: Sequence[str], job: ProcessJob
    ) -> Progress | Sequence[Command]:
        """Return the command that restores the file, or that reads the output."""
        if not _into_command(operation):
            return super().prepare(operation, own_paths, job)
        self.validate(operation, own_paths)
        snapshot = self.find_snapshot(operation)
        if snapshot is None:
            return snapshot_gone(operation)
        name = operation.resource.id
        dump = self.restic.command("dump", "--no-lock", "--quiet", snapshot.id, f"/{name}")
        return (self._find(operation).create_restore(dump),)

    def read_success(self, operation: Operation, job: ProcessJob, status: JobStatus) -> Progress:
        """Return the success of a command, or that a file can get its name."""
        if not _into_command(operation):
            return super().read_success(operation, job, status)
        name = operation.resource.id
        return Progress(ProgressState.SUCCEEDED, resources=(Resource(OUTPUT, name, name),))

    def failure_reason(self, operation: Operation, job: ProcessJob, status: JobStatus) -> str:
        """Return what the restore command says, or restic."""
        if not _into_command(operation):
            return super().failure_reason(operation, job, status)
        if status.source_error:
            told = _errors.failure_text(job.read_lines(0, _SOURCE))
            return f"restic dump: {told or status.source_error}"
        told = _errors.last_line(job.read_lines(0, "err"))
        return ": ".join(filter(None, (_label(operation), status.describe(), told)))

    def finish(self, operation: Operation, jobs: Sequence[ProcessJob]) -> list[Leftover]:
        """Remove the directory that a file was restored to."""
        return [] if _into_command(operation) else super().finish(operation, jobs)

    def revert(self, operation: Operation, jobs: Sequence[ProcessJob]) -> list[Leftover]:
        """Remove a file that was restored; what a command has done stays."""
        if not _into_command(operation):
            return super().revert(operation, jobs)
        if all(job.read_status().state is JobState.NONE for job in jobs):
            return []
        note = "what its restore command has done with the output stays"
        return [Leftover("restored output", operation.resource.id, note)]

    def create_staging(self, operation: Operation, notes: Path) -> Staging:
        """Return the staging of a file that its owner alone can read: restic stores no mode."""
        return attrs.evolve(super().create_staging(operation, notes), private=True)

    def _find(self, operation: Operation) -> OutputCommand:
        return find_command(self.restic.configuration.commands, operation.resource.id)


def _into_command(operation: Operation) -> bool:
    return bool(operation.options.get("into_command"))


def _label(operation: Operation) -> str:
    return f"command {operation.resource.id}"
