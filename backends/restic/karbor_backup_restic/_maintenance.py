"""Maintenance of the repository: ``restic prune`` and ``restic check``."""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

from karbor_backup_core import Check, Operation, Progress, ProgressState
from karbor_backup_process import Command, JobStatus, ProcessJob
from karbor_backup_restic._abilities import PRUNE
from karbor_backup_restic._verb import VerbWork
from karbor_backup_restic._verify import read_data_arguments

_ALL: Final = 100


class Maintenance(VerbWork):
    """Prunes or checks the repository; restic itself keeps everybody else out meanwhile."""

    label: ClassVar[str] = "maintenance"
    takes_lock: ClassVar[bool] = True

    def validate(self, operation: Operation, own_paths: Sequence[str]) -> None:
        """Refuse nothing: the options fit, and there is nothing else."""

    def prepare(
        self, operation: Operation, own_paths: Sequence[str], job: ProcessJob
    ) -> Progress | Sequence[Command]:
        """Return the command."""
        if operation.action == PRUNE:
            return (self.restic.command(*_prune_arguments(operation)),)
        # A check makes a cache of its own, which stays where it is killed.
        cache = str(job.directory / "cache")
        return (self.restic.command(*_check_arguments(operation), cache=cache),)

    def read_success(self, operation: Operation, job: ProcessJob, status: JobStatus) -> Progress:
        """Return the success, and of a check what it has seen."""
        if operation.action == PRUNE:
            return Progress(ProgressState.SUCCEEDED)
        percent = _read_percent(operation)
        read = f"{percent} percent of it was read" if percent else "none of it was read"
        return Progress(
            ProgressState.SUCCEEDED,
            checks=(
                Check("repository is consistent", verified=True),
                Check(
                    "data of the whole repository is intact",
                    verified=percent == _ALL,
                    reason="" if percent == _ALL else f"{read}; read_percent=100 reads all",
                ),
            ),
        )


def _prune_arguments(operation: Operation) -> Iterator[str]:
    yield from ("prune", "--quiet", f"--max-unused={operation.options.get('max_unused', 5)}%")


def _check_arguments(operation: Operation) -> Iterator[str]:
    yield from ("check", "--quiet", *read_data_arguments(_read_percent(operation)))


def _read_percent(operation: Operation) -> int:
    return int(operation.options.get("read_percent", 0))
