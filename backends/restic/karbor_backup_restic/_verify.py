"""Verify: ``restic dump`` of the snapshot, whose output nobody keeps, then ``restic check``."""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

from karbor_backup_core import Check, Operation, Progress, ProgressState
from karbor_backup_process import Command, JobStatus, ProcessJob
from karbor_backup_restic import _errors
from karbor_backup_restic._restore import snapshot_gone
from karbor_backup_restic._verb import VerbWork

_ALL: Final = 100

_CHECK: Final = 1
"""The index of the command that checks the repository."""

_FOUND_ERRORS: Final = 1
"""restic's exit status for a check that failed."""


class Verify(VerbWork):
    """Reads all data of the snapshot back, and checks the repository."""

    label: ClassVar[str] = "verify"

    def prepare(
        self,
        operation: Operation,
        own_paths: Sequence[str],
        job: ProcessJob,
    ) -> Progress | Sequence[Command]:
        """Return the commands; a snapshot that is gone is a failure."""
        self.validate(operation, own_paths)
        snapshot = self.find_snapshot(operation)
        if snapshot is None:
            return snapshot_gone(operation)
        password = self.restic.configuration.reveal_password()
        reads = _reads_data(operation)
        return (
            self.restic.command(
                *(_dump_arguments(snapshot.id) if reads else _stats_arguments(snapshot.id)),
                password=password,
                discard_output=True,
            ),
            self.restic.command(
                *_check_arguments(operation),
                password=password,
                # A check makes a cache of its own, which stays where it is killed.
                cache=str(job.directory / "cache"),
                # What is wrong with others' data does not concern a backup that can be read.
                accepted=(0, _FOUND_ERRORS) if reads else (0,),
            ),
        )

    def read_success(
        self,
        operation: Operation,
        job: ProcessJob,
        status: JobStatus,
    ) -> Progress:
        """Return what was checked and what was not."""
        reads, percent = _reads_data(operation), _read_percent(operation)
        consistent = status.exit_statuses[_CHECK] == 0
        fault = "" if consistent else _errors.failure_text(job.read_lines(_CHECK, "err"))
        share = "no data" if percent == 0 else f"{percent} percent of the data, chosen at random,"
        return Progress(
            ProgressState.SUCCEEDED,
            checks=(
                Check("snapshot exists", verified=True),
                Check("list of files is readable", verified=True),
                Check(
                    "all data of the backup is readable",
                    verified=reads,
                    reason="" if reads else "read_data is false",
                ),
                Check("repository is consistent", verified=consistent, reason=fault),
                Check(
                    "data of the whole repository is intact",
                    verified=consistent and percent == _ALL,
                    reason=fault
                    or ("" if percent == _ALL else f"{share} was read; read_percent=100 reads all"),
                ),
                Check(
                    "files can be restored",
                    verified=False,
                    reason="no file was restored: only their data was read",
                ),
            ),
        )


def _reads_data(operation: Operation) -> bool:
    return bool(operation.options.get("read_data", True))


def _read_percent(operation: Operation) -> int:
    return int(operation.options.get("read_percent", 0))


def _dump_arguments(snapshot: str) -> Iterator[str]:
    """Return the arguments that read all of a snapshot; restic compares each piece's hash."""
    yield from ("dump", "--no-lock", "--quiet", "--archive", "tar", snapshot, "/")


def _stats_arguments(snapshot: str) -> Iterator[str]:
    yield from ("stats", "--no-lock", "--json", "--mode", "restore-size", snapshot)


def _check_arguments(operation: Operation) -> Iterator[str]:
    yield from ("check", "--no-lock", "--quiet", *read_data_arguments(_read_percent(operation)))


def read_data_arguments(percent: int) -> Iterator[str]:
    """Return the arguments by which ``restic check`` reads so much of the repository's data."""
    if percent == _ALL:
        yield "--read-data"
    elif percent:
        yield f"--read-data-subset={percent}%"
