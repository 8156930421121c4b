"""What was seen of an item's data."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import attrs

from karbor_backup_core import Json
from karbor_backup_freezer.inspection.archive import ArchiveNotRead
from karbor_backup_freezer.inspection.archive_reads import ArchiveReads, ReadFunction
from karbor_backup_freezer.inspection.contents import ArchiveContents
from karbor_backup_freezer.inspection.layout import (
    BackupLocation,
    Listing,
    StoredCopy,
    find_copy,
    project_list_path,
)
from karbor_backup_freezer.inspection.reader import StorageReader
from karbor_backup_freezer.model.items import Mode, StoredItem
from karbor_backup_freezer.model.storages import StorageKind
from karbor_backup_openstack.native_backups import NativeBackup

T = TypeVar("T")

_LENGTH_KEYS: Final = ("x-object-meta-length", "length")
"""Where the agent's notes say how long the data is: of a volume, and of all else."""

_METADATA_ERRORS: Final = (ValueError, RecursionError)
"""What reading the agent's notes raises where they are no JSON, or no number that can be read."""


@attrs.frozen(kw_only=True)
class Measurement:
    """What was seen of an item's data.

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
    native: NativeBackup | None = None
    contents: ArchiveContents | None = None
    members: Mapping[str, "Measurement"] = attrs.field(factory=dict)


@attrs.define
class ContainerInspection:
    """One visit of a container, whose listing is asked for once.

    Args:
        reader: reads the container.
        kind: of the storage.
        place: where the protect has stored its data.
        readings: the archives that are being read.
    """

    _reader: StorageReader
    _kind: StorageKind
    _place: BackupLocation
    _readings: ArchiveReads
    _sizes: Mapping[str, int] = attrs.field(init=False)
    _listing: Listing = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._sizes = self._reader.list_sizes()
        self._listing = Listing(self._sizes)

    def inspect_item(self, stored: StoredItem) -> Measurement:
        """Look at one item's data. Errors are those of the reader.

        Raises:
            ReadInProgress: a directory's archive has not been read to its end yet.
        """
        item = stored.item
        if item.mode is Mode.TENANT:
            return self._inspect_project(item.id)
        return self._inspect_resource(item.mode, item.id)

    def _inspect_resource(self, mode: Mode, resource_id: str) -> Measurement:
        copy = find_copy(self._listing, self._kind, self._place, mode, resource_id)
        if copy is None:
            return Measurement(stored=0)
        return Measurement(
            stored=sum(self._sizes[path] for path in copy.data),
            complete=bool(copy.metadata),
            noted=self._read_length(copy.metadata)
            if copy.metadata and mode is not Mode.FS
            else None,
            contents=self._read_archive(copy) if mode is Mode.FS else None,
        )

    def _read_archive(self, copy: StoredCopy) -> ArchiveContents | None:
        """Read a directory's archive where it is a file of this host."""
        if not copy.data or not copy.engine_metadata:
            return None
        try:
            archive, notes = self._find_archive(copy)
        except ArchiveNotRead as error:
            return ArchiveContents(unread_reason=str(error))
        return self._readings.get_contents(archive, notes)

    def read_directory(
        self, stored: StoredItem, purpose: str, read: Callable[[Any], ReadFunction[T]]
    ) -> T:
        """Read the archive of a directory.

        Args:
            stored: the directory's item.
            purpose: what for.
            read: makes the function that reads the archive, of the agent's notes on it.

        Raises:
            ReadInProgress: it has not been read to its end yet.
            ArchiveNotRead: it is no file of this host, or is not there.
        """
        item = stored.item
        archive, notes = self._find_archive(
            find_copy(self._listing, self._kind, self._place, item.mode, item.id)
        )
        return self._readings.read(archive, purpose, read(notes))

    def _find_archive(self, copy: StoredCopy | None) -> tuple[Path, Any]:
        """Return the archive of a directory, a file of this host, and the agent's notes on it.

        Raises:
            ArchiveNotRead: it is no file of this host, or is not there, or its notes are not.
        """
        if self._kind is not StorageKind.LOCAL:
            raise ArchiveNotRead(f"archives on {self._kind} are not read")
        if copy is None or not copy.data or not copy.engine_metadata:
            raise ArchiveNotRead("the archive is not there, or the agent's notes on it")
        try:
            notes = self._reader.read_metadata(copy.engine_metadata)
        except _METADATA_ERRORS:
            raise ArchiveNotRead("the agent's notes on the archive cannot be read") from None
        return Path(self._place.container, copy.data[0]), notes

    def _inspect_project(self, project: str) -> Measurement:
        """Measure a project's backup: the list of its servers, and a copy of each."""
        path = project_list_path(project)
        servers = self._read_server_list(path) if path in self._sizes else None
        members = {server: self._inspect_resource(Mode.TENANT, server) for server in servers or ()}
        return Measurement(
            stored=sum(member.stored or 0 for member in members.values()),
            complete=servers is not None,
            members=members,
        )

    def _read_server_list(self, path: str) -> list[str] | None:
        """Return the servers in the agent's list of a project, None where it is no such list."""
        try:
            servers = self._reader.read_metadata(path)
        except _METADATA_ERRORS:
            return None
        named = isinstance(servers, list) and all(isinstance(server, str) for server in servers)
        return servers if named else None

    def _read_length(self, path: str) -> int | None:
        try:
            notes = self._reader.read_metadata(path)
            return _parse_length(notes) if isinstance(notes, dict) else None
        except _METADATA_ERRORS:
            return None


def _parse_length(notes: Json) -> int | None:
    for name in _LENGTH_KEYS:
        value = str(notes.get(name, ""))
        if value.isdecimal():
            return int(value)
    return None
