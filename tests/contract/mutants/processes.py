"""Backends that need the process that they began in, and such that a death on the way spoils."""

import os
import shutil
import time
import uuid
from pathlib import Path
from typing import Any, Final

from karbor_backup_core import Operation, Progress, ProgressState, Verb, hookimpl
from karbor_backup_fake import FakeBackend
from tests.contract.mutants.registry import breaks
from tests.contract.shelf import create_harness, tutorial

ShelfBackend: Any = tutorial.ShelfBackend
SUBJECT: Final = "processes"

_copied: set[str] = set()


def restored_path(operation: Operation) -> Path:
    """Return where a restore goes."""
    path: Path = tutorial._restored(operation)
    return path


@breaks("C-411", also={"C-412"}, harness=create_harness, subject=SUBJECT)
class KeepsCopiesInModule(ShelfBackend):
    """Restores only what this very process has copied."""

    @hookimpl
    def protect(self, operation: Operation) -> Progress:
        _copied.add(operation.id)
        return super().protect(operation)

    @hookimpl
    def restore(self, operation: Operation) -> Progress:
        if operation.backup_id not in _copied:
            return Progress(ProgressState.FAILED, reason="nothing was copied")
        return super().restore(operation)


@breaks("C-411", harness=create_harness, subject=SUBJECT)
class NamesCopiesByHash(ShelfBackend):
    """Names a copy by the hash of its id, which is another one in each process."""

    def _copy_of(self, operation: Operation) -> Path:
        return Path(self._folder, str(hash(operation.backup_id)))


@breaks("C-411", also={"C-412"}, harness=create_harness, subject=SUBJECT)
class NamesCopiesByProcess(ShelfBackend):
    """Names a copy by the id of the process that makes it."""

    def _copy_of(self, operation: Operation) -> Path:
        return Path(self._folder, f"{operation.backup_id} of {os.getpid()}")


@breaks("C-411", harness=create_harness, subject=SUBJECT)
class NamesCopiesByTimeZone(ShelfBackend):
    """Keeps copies in a folder for each time zone."""

    def _copy_of(self, operation: Operation) -> Path:
        return Path(self._folder, f"{operation.backup_id}{time.strftime('%z')}")


@breaks("C-412", harness=create_harness, subject=SUBJECT)
class CopiesInPlace(ShelfBackend):
    """Writes a copy under its own name from the beginning."""

    @hookimpl
    def protect(self, operation: Operation) -> Progress:
        with self._service(operation):
            if not self._copy_of(operation).exists():
                shutil.copyfile(operation.resource.id, self._copy_of(operation))
        return self._read_progress(operation)


@breaks("C-412", harness=create_harness, subject=SUBJECT)
class RestoresByHalves(ShelfBackend):
    """Writes what it restores in two parts."""

    @hookimpl
    def restore(self, operation: Operation) -> Progress:
        with self._service(operation):
            target = restored_path(operation)
            if not target.exists():
                content = self._copy_of(operation).read_bytes()
                half = len(content) // 2
                target.write_bytes(content[:half])
                with target.open("ab") as file:
                    file.write(content[half:])
        return self._read_progress(operation)


@breaks("C-412", harness=create_harness, subject=SUBJECT)
class DeletesByTrash(ShelfBackend):
    """Moves a copy that it deletes to another name first, and does not look there again."""

    @hookimpl
    def delete(self, operation: Operation) -> Progress:
        with self._service(operation):
            copy = self._copy_of(operation)
            trash = copy.with_name(f"{copy.name}.trash")
            if copy.exists():
                copy.rename(trash)
                trash.unlink()
        return self._read_progress(operation)


@breaks("C-412", harness=create_harness, subject=SUBJECT)
class CleansUpItself(ShelfBackend):
    """Copies under a name that only the hook knows, which removes it in the end."""

    @hookimpl
    def protect(self, operation: Operation) -> Progress:
        with self._service(operation):
            copy = self._copy_of(operation)
            part = copy.with_name(f".{uuid.uuid4()}.part")
            try:
                part.write_bytes(Path(operation.resource.id).read_bytes())
                part.replace(copy)
            finally:
                part.unlink(missing_ok=True)
        return self._read_progress(operation)


@breaks("C-412", harness=create_harness, subject=SUBJECT)
class ReleaseKeepsHalves(ShelfBackend):
    """Removes half a copy only when an operation has failed."""

    def _unwanted(self, operation: Operation) -> list[Path]:
        return [] if operation.work_succeeded else super()._unwanted(operation)


class NotesBeforeStart(FakeBackend):
    """Notes that work was begun before it begins it."""

    verbs: frozenset[Verb] = frozenset()
    _noted: set[tuple[str, int]] = set()  # noqa: RUF012 - as a file would

    def _start_phase(self, operation: Operation) -> Progress:
        key = (operation.id, operation.phase)
        if key in self._noted:
            return Progress(ProgressState.RUNNING)
        if operation.verb in self.verbs:
            self._noted.add(key)
        return super()._start_phase(operation)


@breaks("C-413", also={"C-604", "C-610"})
class NotesProtectsBeforeStart(NotesBeforeStart):
    """Takes a protect or a delete for begun that it was about to begin."""

    verbs = frozenset({Verb.PROTECT, Verb.DELETE})


@breaks("C-413", also={"C-604", "C-610"})
class NotesRestoresBeforeStart(NotesBeforeStart):
    """Takes a restore or a verify for begun that it was about to begin."""

    verbs = frozenset({Verb.RESTORE, Verb.VERIFY})
