"""The hooks of the backend.

Protect, restore and verify run in processes of their own, as jobs of ``karbor_backup_process``,
which continue when the process that started them dies. Everything that an operation creates is
named after the operation's id, so that a process that continues the operation finds it, and no
other file is touched. Delete is done at once.
"""

import contextlib
import os
import shutil
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from karbor_backup_core import (
    BackendError,
    BackendInfo,
    Check,
    Health,
    InvalidInput,
    Json,
    Operation,
    Place,
    Progress,
    ProgressState,
    Transient,
    Unsupported,
    Verb,
    hookimpl,
)
from karbor_backup_process import Command, JobState, ProcessJob, ProcessJobs

from karbor_backup_tar import restores, serialization
from karbor_backup_tar.abilities import ABILITIES, CONFIG_SCHEMA

PACK: Final = (
    # An archive may contain files that only their owner may read.
    'umask 077 && "$tar" --create --gzip --force-local --file="$half"'
    ' --directory="$directory" . &&'
    # ``ln`` does not replace a file: an archive that exists already is complete, and is kept.
    ' sync "$half" && { ln "$half" "$archive" || [ -f "$archive" ]; } && rm -f "$half"'
)
UNPACK: Final = (
    '"$tar" --extract --gzip --force-local --preserve-permissions'
    ' --file="$archive" --directory="$directory"'
)
READ: Final = (
    # gzip reports a wrong checksum, and tar whether the content is an archive.
    'gzip --test "$archive" && "$tar" --list --gzip --force-local --file="$archive" >/dev/null'
)

CHECKS: Final = (
    Check("archive is whole", verified=True),
    Check("restorable data", verified=False, reason="nothing was unpacked to be compared"),
)

PLACING: Final = 2
"""The phase of a restore in which what was unpacked gets its name."""


class TarBackend:
    """Stores directories as archives in a vault.

    Args:
        configuration: valid for ``CONFIG_SCHEMA``.
        program: returns the tar program for each start; by default the configured one.
    """

    CONFIG_SCHEMA = CONFIG_SCHEMA

    def __init__(self, configuration: Json, program: Callable[[], str] | None = None) -> None:
        self._vault = Path(configuration["vault"])
        self._jobs = ProcessJobs(self._vault / "work")
        self._tar: str = configuration.get("tar", "tar")
        self._program = program or (lambda: self._tar)

    @hookimpl
    def describe(self) -> BackendInfo:
        """Return the backend's name, version and abilities."""
        return BackendInfo(name="tar", version="1.0", contract="1.1", abilities=ABILITIES)

    @hookimpl
    def scope(self) -> str:
        """Return the vault's path with the host: a folder of another host is another vault."""
        return f"file://{socket.gethostname()}{self._vault}"

    @hookimpl
    def check(self) -> Health:
        """Return whether the vault is writable and tar can be started."""
        if shutil.which(self._tar) is None:
            return Health(ok=False, summary=f"{self._tar}: there is no such program")
        if not os.access(self._vault, os.W_OK | os.X_OK):
            return Health(ok=False, summary=f"vault {self._vault}: it cannot be written to")
        free = shutil.disk_usage(self._vault).free
        return Health(ok=True, summary=f"vault {self._vault}: {free // 2**20} MiB are free")

    @hookimpl
    def place(self) -> Place:
        """Return where tar runs: another host cannot see whether it does."""
        with self._translate_errors():
            return self._jobs.prepare()

    @hookimpl
    def protect(self, operation: Operation) -> Progress:
        """Start to pack the directory."""
        with self._translate_errors(operation):
            directory = serialization.parse_directory(operation.resource.id)
            if not directory.is_dir() and self._is_new(operation):
                raise InvalidInput(f"{directory}: there is no such directory to protect")
            self._start_job(operation, PACK, self._archive_path(operation), directory)
        return Progress(ProgressState.RUNNING)

    @hookimpl
    def restore(self, operation: Operation) -> Progress:
        """Start to unpack the archive; in the second phase, rename the unpacked directory."""
        with self._translate_errors(operation):
            if operation.phase == PLACING:
                return restores.move_into_place(operation)
            target = restores.restore_target(operation)
            if os.path.lexists(target) and self._is_new(operation):
                raise InvalidInput(f"{target} is there already: restore to another path")
            archive, unpacked = self._archive_path(operation), restores.unpack_folder(operation)
            unpacked.mkdir(exist_ok=True)
            self._start_job(operation, UNPACK, archive, unpacked)
            return Progress(ProgressState.RUNNING, receipt=serialization.make_receipt(unpacked))

    @hookimpl
    def delete(self, operation: Operation) -> Progress:
        """Remove the archive."""
        with self._translate_errors(operation):
            self._archive_path(operation).unlink(missing_ok=True)
        return Progress(ProgressState.SUCCEEDED)

    @hookimpl
    def verify(self, operation: Operation) -> Progress:
        """Start to read the archive to its end."""
        with self._translate_errors(operation):
            self._start_job(operation, READ, self._archive_path(operation))
        return Progress(ProgressState.RUNNING)

    @hookimpl
    def poll(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        """Return the progress of each operation."""
        with self._translate_errors():
            return {operation.id: self._poll_operation(operation) for operation in operations}

    @hookimpl
    def cancel(self, operation: Operation) -> bool:
        """Terminate the processes of the operation."""
        with self._translate_errors():
            return self._job(operation).stop()

    @hookimpl
    def release(self, operation: Operation) -> Progress:
        """Remove what an unsuccessful operation created, then its bookkeeping."""
        with self._translate_errors():
            job = self._job(operation)
            if job.read_status().state is JobState.RUNNING:
                return Progress(ProgressState.RUNNING)
            if not operation.work_succeeded:
                self._remove_made(operation)
            job.remove()
        return Progress(ProgressState.SUCCEEDED)

    @contextlib.contextmanager
    def _translate_errors(self, operation: Operation | None = None) -> Iterator[None]:
        """Translate errors of the vault and unsupported requests into exceptions of the core.

        Without its vault a poll must not return ``UNKNOWN``: the vault may be available again
        later.
        """
        if operation and operation.verb not in ABILITIES.get(operation.resource.type, {}):
            raise Unsupported(f"tar does not {operation.verb} {operation.resource.type}")
        if not self._vault.is_dir():
            raise Transient(f"vault {self._vault} is not there: make or mount it")
        try:
            yield
        except OSError as error:
            raise BackendError(str(error)) from error

    def _start_job(
        self, operation: Operation, script: str, archive: Path, directory: Path | None = None
    ) -> None:
        self._jobs.prepare()
        archive.parent.mkdir(exist_ok=True)
        with self._job(operation).claim() as claim:
            # A late call of a process that was paused must not pack an existing backup again.
            if claim is None or (operation.verb is Verb.PROTECT and archive.exists()):
                return
            variables = {
                "LC_ALL": "C",
                "tar": self._program(),
                "archive": str(archive),
                "half": str(_partial_path(archive)),
                "directory": str(directory or ""),
            }
            claim.start([Command(["/bin/sh", "-ec", script], {**os.environ, **variables})])

    def _is_new(self, operation: Operation) -> bool:
        """Return whether nothing was started yet: started work must not be refused any more."""
        return self._job(operation).read_status().state is JobState.NONE

    def _poll_operation(self, operation: Operation) -> Progress:
        """Return the progress of one operation; an error of it fails only this operation."""
        try:
            if operation.outcome is None:
                return self._job_progress(operation)
            running = self._job(operation).read_status().state is JobState.RUNNING
            return Progress(ProgressState.RUNNING if running else ProgressState.READY)
        except (OSError, BackendError, InvalidInput) as error:
            return Progress(ProgressState.FAILED, reason=str(error))

    def _job_progress(self, operation: Operation) -> Progress:
        job = self._job(operation)
        status = job.read_status()
        match status.state:
            case JobState.NONE if operation.verb is Verb.DELETE:
                gone = not self._archive_path(operation).exists()
                return Progress(ProgressState.SUCCEEDED if gone else ProgressState.UNKNOWN)
            case JobState.NONE:
                return Progress(ProgressState.UNKNOWN)
            case JobState.RUNNING:
                return Progress(ProgressState.RUNNING)
            case _ if status.succeeded:
                return self._success_progress(operation)
            case _ if operation.cancel_requested or operation.cancel_sent:
                return Progress(ProgressState.CANCELLED)
            case _:
                reason = (job.read_lines(stream="err") or [status.describe()])[-1]
                return Progress(ProgressState.FAILED, reason=reason)

    def _success_progress(self, operation: Operation) -> Progress:
        """Return the progress of an operation whose processes have succeeded."""
        match operation.verb:
            case Verb.PROTECT:
                return Progress(
                    ProgressState.SUCCEEDED, handle=serialization.HANDLE, storage="vault"
                )
            case Verb.VERIFY:
                return Progress(ProgressState.SUCCEEDED, checks=CHECKS)
            case _ if operation.phase < PLACING:
                return Progress(ProgressState.READY)
            case _:
                return restores.restore_progress(operation)

    def _remove_made(self, operation: Operation) -> None:
        match operation.verb:
            case Verb.PROTECT:
                for path in (
                    self._archive_path(operation),
                    _partial_path(self._archive_path(operation)),
                ):
                    path.unlink(missing_ok=True)
            case Verb.RESTORE:
                restores.remove_restored(operation)

    def _archive_path(self, operation: Operation) -> Path:
        """Return the path of the archive that an operation creates or uses."""
        serialization.check_id(operation.backup_id)
        if operation.backup is not None:
            serialization.parse_directory(operation.resource.id)
            serialization.check_backup(operation.backup)
        return self._vault / "archives" / f"{operation.backup_id}.tar.gz"

    def _job(self, operation: Operation) -> ProcessJob:
        return self._jobs.job(operation.id)


def _partial_path(archive: Path) -> Path:
    """Return the path of an archive until it is complete."""
    return archive.with_name(f".{archive.name}.part")
