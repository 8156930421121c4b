"""Protect: ``restic backup``, then the whole id of the snapshot that it made."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar, Final

from karbor_backup_core import Check, Leftover, Operation, Progress, ProgressState
from karbor_backup_process import Command, JobStatus, ProcessJob
from karbor_backup_restic import _errors, _output, _paths, _repository
from karbor_backup_restic._notes import Handle
from karbor_backup_restic._verb import VerbWork, protect_progress

_SOME_UNREADABLE: Final = 3
"""restic's exit status for a snapshot in which files are missing that could not be read."""

_SNAPSHOTS: Final = 1
"""The index of the command that prints the snapshot."""


class Protect(VerbWork):
    """Stores a directory or file in a snapshot."""

    label: ClassVar[str] = "backup"
    takes_lock: ClassVar[bool] = True

    def validate(self, operation: Operation, own_paths: Sequence[str]) -> None:
        """Refuse what is not there, and what holds the repository."""
        super().validate(operation, own_paths)
        _paths.check_source(operation.resource)
        self.own.check_source(operation.resource.id, operation.options.get("exclude", ()))

    def prepare(
        self,
        operation: Operation,
        own_paths: Sequence[str],
        job: ProcessJob,
    ) -> Progress | Sequence[Command]:
        """Return the commands; a snapshot that a call in the past has made is the result."""
        made = self.repository.find(operation.id)
        if made:
            return protect_progress(Handle(made[0].id, 0), [])
        self.validate(operation, own_paths)
        password = self.restic.configuration.reveal_password()
        return (
            self.restic.command(
                *self._backup_arguments(operation),
                password=password,
                # Stored under its name alone, so that it can be restored under any path.
                directory=str(Path(operation.resource.id).parent),
                accepted=(0, _SOME_UNREADABLE) if _allows_unreadable(operation) else (0,),
            ),
            self.restic.command(*_repository.snapshots_arguments(operation.id), password=password),
        )

    def read_running(self, operation: Operation, job: ProcessJob) -> Progress:
        """Return how many bytes restic has read."""
        return _output.read_progress(job)

    def read_success(self, operation: Operation, job: ProcessJob, status: JobStatus) -> Progress:
        """Return the success, with the snapshot's whole id."""
        found = _repository.parse_snapshots(job.read_output(_SNAPSHOTS))
        if not found:
            return Progress(
                ProgressState.FAILED,
                reason=f"restic made a snapshot with the tag {operation.id}, and it is gone",
            )
        handle = Handle(found[0].id, _output.read_size(job))
        return protect_progress(handle, self.read_checks(job, status))

    def read_checks(self, job: ProcessJob, status: JobStatus) -> list[Check]:
        """Return whether all files were read."""
        missing = status.exit_statuses[0] == _SOME_UNREADABLE
        reason = _output.failure_reason(job, JobStatus(status.state), "backup") if missing else ""
        return [Check("all files were read", verified=not missing, reason=reason)]

    def revert(self, operation: Operation, jobs: Sequence[ProcessJob]) -> list[Leftover]:
        """Forget the snapshot, and name what only a prune can remove."""
        self.repository.forget(operation.id)
        if not any(_may_have_uploaded(job) for job in jobs):
            return []
        return [self.name_unused_data("uploaded")]

    def _backup_arguments(self, operation: Operation) -> Iterator[str]:
        options = operation.options
        yield from ("backup", "--json", "--tag", f"{_repository.TAG},{operation.id}")
        if options.get("one_file_system"):
            yield "--one-file-system"
        if options.get("exclude_caches"):
            yield "--exclude-caches"
        yield f"--exclude={_escape_pattern(self.own.jobs)}"
        yield from (f"--exclude={pattern}" for pattern in options.get("exclude", ()))
        yield from ("--", os.path.join(".", Path(operation.resource.id).name))  # noqa: PTH118


def _may_have_uploaded(job: ProcessJob) -> bool:
    """Return whether a job was begun, and came further than a lock of somebody else's."""
    return job.read_status().was_begun and not _errors.is_locked(job.read_lines(0, "err"))


def _allows_unreadable(operation: Operation) -> bool:
    return bool(operation.options.get("allow_unreadable"))


def _escape_pattern(path: str) -> str:
    """Return a pattern of restic that matches one path (Go's ``filepath.Match``)."""
    return "".join(f"\\{char}" if char in "\\*?[" else char for char in path)
