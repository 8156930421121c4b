"""What was seen of a piece's data."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs

from karbor_backup_core import Json
from karbor_backup_freezer.native import NativeState
from karbor_backup_freezer.pieces import Mode, StoredPiece
from karbor_backup_freezer.storages import Kind
from karbor_backup_freezer.stored.contents import Contents
from karbor_backup_freezer.stored.layout import Copy, Listing, Place, find_copy, project_list
from karbor_backup_freezer.stored.reader import Reader
from karbor_backup_freezer.stored.readings import Readings

_LENGTHS: Final = ("x-object-meta-length", "length")
"""Where the agent's notes say how long the data is: of a volume, and of all else."""

_NO_NOTES: Final = (ValueError, RecursionError)
"""What reading the agent's notes raises where they are no JSON, or no number that can be read."""


@attrs.frozen(kw_only=True)
class Measured:
    """What was seen of a piece's data.

    Attributes:
        stored: the bytes that the storage holds of it, None where nobody could look.
        complete: whether the agent's notes on it are there, without which nothing is restored.
        noted: the bytes that the agent's notes say it has, None where they do not say.
        reason: why nobody could look; empty otherwise.
        native: what Cinder says of its own backup, in mode ``cindernative``.
        contents: what a directory's archive holds, None for all else and where nothing is stored.
        members: of a project in mode ``tenant``, what was seen of each server, by its id.
    """

    stored: int | None = None
    complete: bool = False
    noted: int | None = None
    reason: str = ""
    native: NativeState | None = None
    contents: Contents | None = None
    members: Mapping[str, "Measured"] = attrs.field(factory=dict)


@attrs.define
class Look:
    """One visit of a container, whose listing is asked for once.

    Args:
        reader: reads the container.
        kind: of the storage.
        place: where the protect has stored its data.
        readings: the archives that are being read.
    """

    _reader: Reader
    _kind: Kind
    _place: Place
    _readings: Readings
    _sizes: Mapping[str, int] = attrs.field(init=False)
    _listing: Listing = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._sizes = self._reader.sizes()
        self._listing = Listing(self._sizes)

    def at(self, stored: StoredPiece) -> Measured:
        """Look at one piece's data. Errors are those of the reader.

        Raises:
            StillReading: a directory's archive has not been read to its end yet.
        """
        piece = stored.piece
        if piece.mode is Mode.TENANT:
            return self._project(piece.id)
        return self._one(piece.mode, piece.id)

    def _one(self, mode: Mode, resource_id: str) -> Measured:
        copy = find_copy(self._listing, self._kind, self._place, mode, resource_id)
        if copy is None:
            return Measured(stored=0)
        return Measured(
            stored=sum(self._sizes[path] for path in copy.data),
            complete=bool(copy.notes),
            noted=self._length(copy.notes) if copy.notes and mode is not Mode.FS else None,
            contents=self._contents(copy) if mode is Mode.FS else None,
        )

    def _contents(self, copy: Copy) -> Contents | None:
        """Read a directory's archive where it is a file of this host."""
        if not copy.data or not copy.engine:
            return None
        if self._kind is not Kind.LOCAL:
            return Contents(unread=f"archives on {self._kind} are not read")
        try:
            archive = Path(self._place.container, copy.data[0])
            return self._readings.contents(archive, self._reader.notes(copy.engine))
        except _NO_NOTES:
            return Contents(unread="the agent's notes on the archive cannot be read")

    def _project(self, project: str) -> Measured:
        """A project's backup is the list of its servers, and a copy of each."""
        path = project_list(project)
        servers = self._listed(path) if path in self._sizes else None
        members = {server: self._one(Mode.TENANT, server) for server in servers or ()}
        return Measured(
            stored=sum(member.stored or 0 for member in members.values()),
            complete=servers is not None,
            members=members,
        )

    def _listed(self, path: str) -> list[str] | None:
        """The servers in the agent's list of a project, None where it is no such list."""
        try:
            servers = self._reader.notes(path)
        except _NO_NOTES:
            return None
        named = isinstance(servers, list) and all(isinstance(server, str) for server in servers)
        return servers if named else None

    def _length(self, path: str) -> int | None:
        try:
            notes = self._reader.notes(path)
            return _length(notes) if isinstance(notes, dict) else None
        except _NO_NOTES:
            return None


def _length(notes: Json) -> int | None:
    for name in _LENGTHS:
        value = str(notes.get(name, ""))
        if value.isdecimal():
            return int(value)
    return None
