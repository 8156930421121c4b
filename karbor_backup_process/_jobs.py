"""The jobs of a backend: one directory for all, one below it for each."""

import contextlib
import hashlib
import json
import os
import re
import uuid
from pathlib import Path
from typing import Final

import attrs

from karbor_backup_core import BackendError, InvalidInput, Place
from karbor_backup_process._job import ProcessJob
from karbor_backup_process._status import read_json

_OPERATION_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PLACE_FILE: Final = "place.json"
_MACHINE_ID: Final = Path("/etc/machine-id")


def _resolve(path: Path) -> Path:
    return path.resolve()


@attrs.frozen
class ProcessJobs:
    """The jobs of a backend.

    Attributes:
        directory: holds the directories of the jobs, on a local file system that a restart of the
            machine keeps. It is made, for its owner alone, when it is first needed.
        work_limit: a job that is started while so many run in the directory, whoever has started
            them, is queued until fewer do. None for any number.
    """

    directory: Path = attrs.field(converter=_resolve)
    work_limit: int | None = None

    def prepare(self) -> Place:
        """Make the directory of the jobs if it is not there, and return its place.

        It is what the hook ``place`` of a backend returns: the id is that of the directory, and the
        host the name that the machine had when the directory was made.

        Raises:
            BackendError: it cannot be made, others may write to it, or another machine uses it.
        """
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            status = self.directory.stat()
            if status.st_uid != os.geteuid() or status.st_mode & 0o022:
                raise BackendError(
                    f"{self.directory}: jobs are kept where nobody else may write: make it your "
                    "own (chown, chmod 700), or name another directory"
                )
            place = self.read_place() or self._note_place()
        except OSError as error:
            raise BackendError(f"{self.directory}: {error.strerror or error}") from error
        if place is None:
            raise BackendError(
                f"{self.directory}: another machine keeps its jobs there: name a directory on a "
                "file system of this machine's own"
            )
        return place

    def read_place(self) -> Place | None:
        """Return the place of the jobs; None before the first, or if it is another machine's."""
        noted = read_json(self.directory / _PLACE_FILE)
        if noted is None or noted.get("machine") != _identify_machine():
            return None
        return Place(str(noted.get("id")), str(noted.get("host")))

    def job(self, operation_id: str, phase: int = 1) -> ProcessJob:
        """Return the job of one phase of an operation, whether it was started or not.

        Raises:
            InvalidInput: the id is none that karbor-backup makes.
        """
        return self._job(self.directory / f"{_check_id(operation_id)}.{phase}")

    def jobs_of(self, operation_id: str) -> list[ProcessJob]:
        """Return the jobs of an operation that there are, by phase.

        Raises:
            InvalidInput: the id is none that karbor-backup makes.
        """
        found = self.directory.glob(f"{_check_id(operation_id)}.*")
        numbered = [path for path in found if path.suffix[1:].isdigit()]
        return [self._job(path) for path in sorted(numbered, key=lambda it: int(it.suffix[1:]))]

    def _job(self, directory: Path) -> ProcessJob:
        return ProcessJob(directory, self.work_limit)

    def _note_place(self) -> Place | None:
        """Note this machine as the place, unless another one was first."""
        place = Place(uuid.uuid4().hex, os.uname().nodename)
        draft = self.directory / f".{_PLACE_FILE}.{place.id}"
        document = {**attrs.asdict(place), "machine": _identify_machine()}
        draft.write_text(json.dumps(document))
        # A link replaces no file: of two processes that come first, both get the same place.
        with contextlib.suppress(FileExistsError):
            os.link(draft, self.directory / _PLACE_FILE)
        draft.unlink()
        return self.read_place()


def _identify_machine() -> str:
    """Return what tells this machine from any other; empty where the system does not know.

    The id itself is to be kept from others (``machine-id(5)``), and the directory may be a share.
    """
    try:
        return hashlib.sha256(b"karbor-backup" + _MACHINE_ID.read_bytes()).hexdigest()
    except OSError:
        return ""


def _check_id(operation_id: str) -> str:
    if not _OPERATION_ID.fullmatch(operation_id):
        raise InvalidInput(f"{operation_id!r} is not the id of an operation")
    return operation_id
