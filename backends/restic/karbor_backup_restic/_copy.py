"""Copy: ``restic copy`` from another repository, then the tags by which the copy is known."""

import re
from collections.abc import Iterator, Sequence
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
from karbor_backup_restic import _repository
from karbor_backup_restic._notes import Handle
from karbor_backup_restic._repository import Snapshot
from karbor_backup_restic._restore import snapshot_gone
from karbor_backup_restic._sources import Source, Sources
from karbor_backup_restic._verb import WORKING, VerbWork, backup_of, protect_progress

_COPY: Final = 0
_SNAPSHOTS: Final = 2
"""The indexes of the commands that copy, and that print the snapshot."""

_PACKS: Final = re.compile(r"(\d+) / (\d+) packs copied")


@attrs.frozen
class Copy(VerbWork):
    """Copies the snapshot of a backup in another repository.

    restic gives the copy the tags of the first snapshot. They are replaced by the copy's own, so
    that each of several copies is known by the operation that made it.

    Attributes:
        sources: the repositories that can be copied from.
    """

    sources: Sources

    label: ClassVar[str] = "copy"
    takes_lock: ClassVar[bool] = True

    def prepare(
        self, operation: Operation, own_paths: Sequence[str], job: ProcessJob
    ) -> Progress | Sequence[Command]:
        """Return the commands; a copy that a call in the past has made is the result.

        They may be repeated after a lock: restic leaves out what it has copied already.
        """
        self.validate(operation, own_paths)
        backup = backup_of(operation)
        present = self.repository.snapshots()
        made = [each for each in present if operation.id in each.tags]
        if made:
            return protect_progress(Handle(made[0].id, Handle.of(backup).size), _checks())
        source = self._find_source(backup)
        first = self.find_snapshot(operation, source.repository)
        if first is None:
            return snapshot_gone(operation)
        if operation.phase == WORKING:
            _refuse_strangers(backup, present)
        return tuple(self._commands(operation, source, first))

    def read_running(self, operation: Operation, job: ProcessJob) -> Progress:
        """Return how many files of the repository restic has copied."""
        found = [each for line in job.read_lines(_COPY) for each in _PACKS.findall(line)]
        if not found:
            return Progress(ProgressState.RUNNING)
        done, total = (int(count) for count in found[-1])
        return Progress(ProgressState.RUNNING, done=done, total=total, unit="packs")

    def read_success(self, operation: Operation, job: ProcessJob, status: JobStatus) -> Progress:
        """Return the success, with the id of the snapshot under its own tags."""
        found = _repository.parse_snapshots(job.read_output(_SNAPSHOTS))
        if not found:
            return Progress(
                ProgressState.FAILED,
                reason=f"restic made a copy with the tag {operation.id}, and it is gone",
            )
        size = Handle.of(backup_of(operation)).size
        return protect_progress(Handle(found[0].id, size), _checks())

    def revert(self, operation: Operation, jobs: Sequence[ProcessJob]) -> list[Leftover]:
        """Forget the copy, also one that has the tags of the first snapshot as yet."""
        started = [job for job in jobs if job.read_status().was_begun]
        self.repository.forget(operation.id)
        if not started:
            return []
        self.repository.forget(backup_of(operation).whole_id)
        return [self.name_unused_data("copied")]

    def _find_source(self, backup: Backup) -> Source:
        if backup.scope == f"restic:{self.repository.id()}":
            raise InvalidInput(f"backup {backup.id} is in this repository already")
        return self.sources.find(backup)

    def _commands(self, operation: Operation, source: Source, first: Snapshot) -> Iterator[Command]:
        password = self.restic.configuration.reveal_password()
        tags = f"{_repository.TAG},{operation.id}"
        copied = f"{_repository.TAG},{backup_of(operation).whole_id}"
        # The first repository is only read: a lock there would stay where restic is killed.
        copy = self.restic.command("copy", "--no-lock", first.id, password=password)
        yield source.read_by(copy)
        yield self.restic.command(
            *("tag", "--quiet", "--set", tags, "--tag", copied), password=password
        )
        yield self.restic.command(*_repository.snapshots_arguments(operation.id), password=password)


def _refuse_strangers(backup: Backup, present: Sequence[Snapshot]) -> None:
    """Refuse to copy what somebody else has copied: restic would take theirs for the copy.

    Raises:
        InvalidInput: there is such a snapshot.
    """
    theirs = [each.id[:8] for each in present if backup.whole_id in each.tags]
    if theirs:
        raise InvalidInput(
            f"backup {backup.id} was copied to this repository by another program, as snapshot "
            f"{', '.join(theirs)}: remove its tag {backup.whole_id} with 'restic tag', or forget it"
        )


def _checks() -> list[Check]:
    return [Check("all data was read from the first repository", verified=True)]
