"""The repository: its identity, and the snapshots that operations have made."""

import json
import re
import threading
from typing import Any, Final

import attrs

from karbor_backup_core import BackendError
from karbor_backup_restic._locks import Locks
from karbor_backup_restic._restic import Restic

TAG: Final = "karbor-backup"
"""The tag of all snapshots of this backend; each has the id of its operation as another one."""

_ID: Final = re.compile(r"[0-9a-f]{64}")


@attrs.frozen
class Snapshot:
    """A snapshot in the repository.

    Attributes:
        id: its whole id.
        original: its id before somebody changed its tags; the same as ``id`` if nobody has.
        tags: its tags.
        paths: what is in it.
    """

    id: str
    original: str
    tags: frozenset[str]
    paths: tuple[str, ...] = ()


class Repository:
    """One repository.

    Args:
        restic: how it is reached.

    Attributes:
        locks: the locks in it.
    """

    def __init__(self, restic: Restic) -> None:
        self._restic = restic
        self.locks: Final = Locks(restic)
        self._lock = threading.Lock()
        self._id = ""

    def id(self) -> str:
        """Return the repository's id, which stays when it is moved; asked for once.

        Raises:
            BackendError, Transient, InvalidInput: as ``Restic.run``.
        """
        with self._lock:
            if not self._id:
                self._id = self.read_id()
            return self._id

    def read_id(self) -> str:
        """Return the repository's id as it is now.

        Raises:
            BackendError, Transient, InvalidInput: as ``Restic.run``.
        """
        printed = self._restic.run("open the repository", "cat", "config", "--no-lock", "--quiet")
        found = _parse(printed).get("id")
        if not isinstance(found, str) or not _ID.fullmatch(found):
            raise BackendError("restic cannot open the repository: its configuration has no id")
        return found

    def snapshots(self) -> list[Snapshot]:
        """Return all snapshots in the repository, those of others included.

        Raises:
            BackendError, Transient, InvalidInput: as ``Restic.run``.
        """
        printed = self._restic.run("list snapshots", "snapshots", "--json", "--no-lock")
        return parse_snapshots(printed)

    def find(self, operation_id: str) -> list[Snapshot]:
        """Return the snapshots that the protect of that id has made.

        Raises:
            BackendError, Transient, InvalidInput: as ``Restic.run``.
        """
        return [snapshot for snapshot in self.snapshots() if operation_id in snapshot.tags]

    def forget(self, operation_id: str) -> None:
        """Remove all snapshots that the protect of that id has made.

        Raises:
            RepositoryLocked: another restic works on the repository.
            BackendError, Transient, InvalidInput: as ``Restic.run``.
        """
        found = self.find(operation_id)
        if found:
            ids = [snapshot.id for snapshot in found]
            self._restic.run("remove a snapshot", "forget", "--quiet", *ids)


def snapshots_arguments(operation_id: str) -> tuple[str, ...]:
    """Return the arguments of restic that print the snapshots of an operation."""
    return ("snapshots", "--json", "--no-lock", "--tag", operation_id)


def parse_snapshots(text: str) -> list[Snapshot]:
    """Read what ``restic snapshots --json`` has printed.

    Raises:
        BackendError: it is not what restic prints.
    """
    try:
        rows = json.loads(text) or []
        found = [
            Snapshot(
                row["id"],
                row.get("original") or row["id"],
                frozenset(row.get("tags") or ()),
                tuple(row.get("paths") or ()),
            )
            for row in rows
        ]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BackendError(f"restic printed no list of snapshots: {text[:80]!r}") from error
    for snapshot in found:
        if not isinstance(snapshot.id, str) or not _ID.fullmatch(snapshot.id):
            raise BackendError(f"restic printed {snapshot.id!r:.80}, which is no id of a snapshot")
    return found


def _parse(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
