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
from karbor_backup_process import Command, JobStatus, ProcessJob
from karbor_backup_restic import _errors, _output, _paths, _repository
from karbor_backup_restic._abilities import OUTPUT
from karbor_backup_restic._commands import OutputCommand, find_command
from karbor_backup_restic._protect import Protect
from karbor_backup_restic._restic import Restic
from karbor_backup_restic._restore import Restore, snapshot_gone
from karbor_backup_restic._staging import Staging
from karbor_backup_restic._verb import VerbWork

_SOURCE: Final = "source.err"


class ProtectOutput(Protect):
    """Stores what a command writes in a snapshot, as a file with the command's name."""

    def validate(self, operation: Operation, own_paths: Sequence[str]) -> None:
        """Refuse what the configuration does not name."""
        _find_command(self.restic, operation).create_dump()

    def prepare(
        self, operation: Operation, own_paths: Sequence[str], job: ProcessJob
    ) -> Progress | Sequence[Command]:
        """Return the commands; what an earlier call has made may be half of an output."""
        source = _find_command(self.restic, operation).create_dump()
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


class RestoreOutput(Restore):
    """Restores the output of a command to a file."""

    label: ClassVar[str] = "dump"

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

    def create_staging(self, operation: Operation, notes: Path) -> Staging:
        """Return the staging of a file that its owner alone can read: restic stores no mode."""
        return attrs.evolve(super().create_staging(operation, notes), private=True)


class RestoreIntoCommand(VerbWork):
    """Restores the output of a command into the command that reads it."""

    label: ClassVar[str] = "dump"

    def validate(self, operation: Operation, own_paths: Sequence[str]) -> None:
        """Refuse options of a file, and a command that cannot be started."""
        super().validate(operation, own_paths)
        if {"path", "replace"} & set(operation.options):
            raise InvalidInput("into_command restores to no file: leave out path and replace")
        _find_command(self.restic, operation).create_restore(Command(("true",)))

    def prepare(
        self, operation: Operation, own_paths: Sequence[str], job: ProcessJob
    ) -> Progress | Sequence[Command]:
        """Return the command that reads the output."""
        self.validate(operation, own_paths)
        snapshot = self.find_snapshot(operation)
        if snapshot is None:
            return snapshot_gone(operation)
        name = operation.resource.id
        dump = self.restic.command("dump", "--no-lock", "--quiet", snapshot.id, f"/{name}")
        return (_find_command(self.restic, operation).create_restore(dump),)

    def read_success(self, operation: Operation, job: ProcessJob, status: JobStatus) -> Progress:
        """Return the success, whose resource is the command's output."""
        name = operation.resource.id
        return Progress(ProgressState.SUCCEEDED, resources=(Resource(OUTPUT, name, name),))

    def failure_reason(self, operation: Operation, job: ProcessJob, status: JobStatus) -> str:
        """Return what the restore command says, or restic."""
        if status.source_error:
            told = _errors.failure_text(job.read_lines(0, _SOURCE))
            return f"restic dump: {told or status.source_error}"
        told = _errors.last_line(job.read_lines(0, "err"))
        return ": ".join(filter(None, (_label(operation), status.describe(), told)))

    def revert(self, operation: Operation, jobs: Sequence[ProcessJob]) -> list[Leftover]:
        """Name what the command may have done, which stays."""
        if not any(job.read_status().was_begun for job in jobs):
            return []
        note = "what its restore command has done with the output stays"
        return [Leftover("restored output", operation.resource.id, note)]


def _find_command(restic: Restic, operation: Operation) -> OutputCommand:
    return find_command(restic.configuration.commands, operation.resource.id)


def _label(operation: Operation) -> str:
    return f"command {operation.resource.id}"
