"""The hooks.

Protect, restore and verify are work outside: processes of their own, and a folder of notes for each
operation (``work.py``). Everything that an operation makes has a name made from the operation's
id, so that whoever goes on with it finds it, and nobody else's is touched. Delete is done at once.
"""

import contextlib
import os
import shutil
import socket
import subprocess
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
    Progress,
    ProgressState,
    Result,
    Transient,
    Unsupported,
    Verb,
    hookimpl,
)

from karbor_backup_tar import notes, restores
from karbor_backup_tar.abilities import ABILITIES, CONFIG_SCHEMA
from karbor_backup_tar.work import Work, WorkState

PACK: Final = (
    # What only its owner may read is read by nobody else in an archive.
    'umask 077 && "$tar" --create --gzip --force-local --file="$half"'
    ' --directory="$directory" . &&'
    # A link replaces nothing: an archive that is there already is whole, and stays as it is.
    ' sync "$half" && { ln "$half" "$archive" || [ -f "$archive" ]; } && rm -f "$half"'
)
UNPACK: Final = (
    '"$tar" --extract --gzip --force-local --preserve-permissions'
    ' --file="$archive" --directory="$directory"'
)
READ: Final = 'gzip --test "$archive"'

CHECKS: Final = (
    Check("archive is whole", verified=True),
    Check("restorable data", verified=False, reason="nothing was unpacked to be compared"),
)

PLACING: Final = 2
"""The phase of a restore in which what was unpacked gets its name."""


class TarBackend:
    """Keeps directories as archives in a vault.

    Args:
        configuration: fits ``CONFIG_SCHEMA``.
        program: asked for the tar to start, each time; without it, the configured one is.
    """

    CONFIG_SCHEMA = CONFIG_SCHEMA

    def __init__(self, configuration: Json, program: Callable[[], str] | None = None) -> None:
        self._vault = Path(configuration["vault"])
        self._tar: str = configuration.get("tar", "tar")
        self._program = program or (lambda: self._tar)

    @hookimpl
    def describe(self) -> BackendInfo:
        """Say what this backend can do."""
        return BackendInfo(name="tar", version="1.0", contract="1.0", abilities=ABILITIES)

    @hookimpl
    def scope(self) -> str:
        """Name the vault; another machine's folder of the same name is another vault."""
        return f"file://{socket.gethostname()}{self._vault}"

    @hookimpl
    def check(self) -> Health:
        """Look whether there is a vault to write to, and a tar to do it."""
        if shutil.which(self._tar) is None:
            return Health(ok=False, summary=f"{self._tar}: there is no such program")
        if not os.access(self._vault, os.W_OK | os.X_OK):
            return Health(ok=False, summary=f"vault {self._vault}: it cannot be written to")
        free = shutil.disk_usage(self._vault).free
        return Health(ok=True, summary=f"vault {self._vault}: {free // 2**20} MiB are free")

    @hookimpl
    def protect(self, operation: Operation) -> Progress:
        """Have the directory packed."""
        with self._service(operation):
            directory = notes.check_directory(operation.resource.id)
            if not directory.is_dir() and self._is_new(operation):
                raise InvalidInput(f"{directory}: there is no such directory to protect")
            self._start(operation, PACK, self._archive(operation), directory)
        return Progress(ProgressState.RUNNING)

    @hookimpl
    def restore(self, operation: Operation) -> Progress:
        """Have the archive unpacked; in the second phase, give what was unpacked its name."""
        with self._service(operation):
            if operation.phase == PLACING:
                return restores.place(operation)
            target = restores.target_of(operation)
            if os.path.lexists(target) and self._is_new(operation):
                raise InvalidInput(f"{target} is there already: restore to another path")
            archive, unpacked = self._archive(operation), restores.unpacked_of(operation)
            unpacked.mkdir(exist_ok=True)
            self._start(operation, UNPACK, archive, unpacked)
            return Progress(ProgressState.RUNNING, receipt=notes.receipt(unpacked))

    @hookimpl
    def delete(self, operation: Operation) -> Progress:
        """Remove the archive."""
        with self._service(operation):
            self._archive(operation).unlink(missing_ok=True)
        return Progress(ProgressState.SUCCEEDED)

    @hookimpl
    def verify(self, operation: Operation) -> Progress:
        """Have the archive read to its end."""
        with self._service(operation):
            self._start(operation, READ, self._archive(operation))
        return Progress(ProgressState.RUNNING)

    @hookimpl
    def poll(self, operations: Sequence[Operation]) -> Mapping[str, Progress]:
        """Look at the work of each operation."""
        with self._service():
            return {operation.id: self._look(operation) for operation in operations}

    @hookimpl
    def cancel(self, operation: Operation) -> bool:
        """Ask the processes of the operation to end."""
        with self._service():
            return self._work(operation).stop()

    @hookimpl
    def release(self, operation: Operation) -> Progress:
        """Undo what is not to stay, then remove the notes on the work."""
        with self._service():
            work = self._work(operation)
            if work.state() is WorkState.RUNNING:
                return Progress(ProgressState.RUNNING)
            if operation.outcome is None or operation.outcome.result is not Result.SUCCEEDED:
                self._undo(operation)
            work.remove()
        return Progress(ProgressState.SUCCEEDED)

    @contextlib.contextmanager
    def _service(self, operation: Operation | None = None) -> Iterator[None]:
        """Say in the contract's words what is not done here, and what goes wrong with the vault.

        Without its vault a poll must not say that it knows of no work: the vault may come back.
        """
        if operation and operation.verb not in ABILITIES.get(operation.resource.type, {}):
            raise Unsupported(f"tar does not {operation.verb} {operation.resource.type}")
        if not self._vault.is_dir():
            raise Transient(f"vault {self._vault} is not there: make or mount it")
        try:
            yield
        except (OSError, subprocess.CalledProcessError) as error:
            raise BackendError(str(error)) from error

    def _start(
        self, operation: Operation, script: str, archive: Path, directory: Path | None = None
    ) -> None:
        # A late call, of a process that was paused, packs no second time what is kept already.
        kept = operation.verb is Verb.PROTECT and archive.exists()
        if kept or not self._is_new(operation):
            return
        work = self._work(operation)
        for folder in (archive.parent, work.folder.parent):
            folder.mkdir(exist_ok=True)
        tar = self._program()
        half = _half(archive)
        place = str(directory or "")
        work.start(script, tar=tar, archive=str(archive), half=str(half), directory=place)

    def _is_new(self, operation: Operation) -> bool:
        """Say whether nothing was begun; what was begun once is not to be refused any more."""
        return self._work(operation).state() is WorkState.NONE

    def _look(self, operation: Operation) -> Progress:
        """Say how one operation stands; a fault of its own is its own failure."""
        try:
            state = self._work(operation).state()
            if operation.outcome is None:
                return self._progress(operation, state)
            running = state is WorkState.RUNNING
            return Progress(ProgressState.RUNNING if running else ProgressState.READY)
        except (OSError, BackendError, InvalidInput) as error:
            return Progress(ProgressState.FAILED, reason=str(error))

    def _progress(self, operation: Operation, state: WorkState) -> Progress:
        match state:
            case WorkState.NONE if operation.verb is Verb.DELETE:
                gone = not self._archive(operation).exists()
                return Progress(ProgressState.SUCCEEDED if gone else ProgressState.UNKNOWN)
            case WorkState.NONE:
                return Progress(ProgressState.UNKNOWN)
            case WorkState.RUNNING:
                return Progress(ProgressState.RUNNING)
            case WorkState.DONE:
                return self._done(operation)
            case _ if operation.cancel_requested or operation.cancel_sent:
                return Progress(ProgressState.CANCELLED)
            case _:
                return Progress(ProgressState.FAILED, reason=self._work(operation).reason())

    def _done(self, operation: Operation) -> Progress:
        """Say what work that has done well means for its operation."""
        match operation.verb:
            case Verb.PROTECT:
                return Progress(ProgressState.SUCCEEDED, handle=notes.HANDLE, storage="vault")
            case Verb.VERIFY:
                return Progress(ProgressState.SUCCEEDED, checks=CHECKS)
            case _ if operation.phase < PLACING:
                return Progress(ProgressState.READY)
            case _:
                return restores.placed(operation)

    def _undo(self, operation: Operation) -> None:
        match operation.verb:
            case Verb.PROTECT:
                for made in (self._archive(operation), _half(self._archive(operation))):
                    made.unlink(missing_ok=True)
            case Verb.RESTORE:
                restores.undo(operation)

    def _archive(self, operation: Operation) -> Path:
        """Answer the archive that an operation makes, or on which it works."""
        notes.check_id(operation.backup_id)
        if operation.backup is not None:
            notes.check_directory(operation.resource.id)
            notes.check_backup(operation.backup)
        return self._vault / "archives" / f"{operation.backup_id}.tar.gz"

    def _work(self, operation: Operation) -> Work:
        notes.check_id(operation.id)
        return Work(self._vault / "work" / operation.id)


def _half(archive: Path) -> Path:
    """Return where an archive is packed before it gets its name."""
    return archive.with_name(f".{archive.name}.part")
