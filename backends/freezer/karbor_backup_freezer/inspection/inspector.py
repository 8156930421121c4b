"""Looks at the data of a protect, wherever it is."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar

from karbor_backup_freezer.config import Configuration
from karbor_backup_freezer.inspection import local, s3, ssh, swift
from karbor_backup_freezer.inspection.archive import ArchiveNotRead
from karbor_backup_freezer.inspection.archive_reads import ArchiveReads, ReadFunction, ReadProgress
from karbor_backup_freezer.inspection.layout import BackupLocation
from karbor_backup_freezer.inspection.measurement import ContainerInspection, Measurement
from karbor_backup_freezer.inspection.reader import StorageReader, StorageUnreachable
from karbor_backup_freezer.model.items import Mode, StoredItem
from karbor_backup_freezer.model.storages import Storage, StorageKind
from karbor_backup_openstack.configuration import DEFAULT_TIMEOUT
from karbor_backup_openstack.native_backups import NativeBackupClient
from karbor_backup_openstack.services import CloudServices

T = TypeVar("T")


class DataInspector:
    """The data of protects, in the storages and in Cinder.

    Args:
        configuration: for how long a request may take.
        services: the way to Swift and Cinder.
    """

    def __init__(self, configuration: Configuration, services: CloudServices) -> None:
        self._timeout = configuration.timeout or DEFAULT_TIMEOUT
        self._services = services
        self._native_backups = NativeBackupClient(services)
        self._readings = ArchiveReads()

    def inspect(
        self, storage: Storage, location: BackupLocation, items: Sequence[StoredItem]
    ) -> tuple[Measurement, ...]:
        """Look at the items of one protect; the answers are in the same order.

        The storage is visited once, and not at all where Cinder itself keeps all of the items.

        Raises:
            ReadInProgress: a directory's archive has not been read to its end yet: ask again.
            InvalidInput: a secret's reference leads nowhere.
            Transient: the storage or Cinder cannot be asked now.
            BackendError: Cinder refuses to tell.
        """
        mine = [stored for stored in items if stored.item.mode is Mode.NATIVE]
        states = self._native_backups.get_backups({stored.native for stored in mine})
        others = iter(self._inspect_items(storage, location, [p for p in items if p not in mine]))
        return tuple(
            Measurement(native=states[stored.native])
            if stored.item.mode is Mode.NATIVE
            else next(others)
            for stored in items
        )

    def read_directory(
        self,
        storage: Storage,
        location: BackupLocation,
        stored: StoredItem,
        purpose: str,
        read: Callable[[Any], ReadFunction[T]],
    ) -> T:
        """Read a directory's archive in the background, for a purpose other than ``inspect``.

        Args:
            storage: where it is stored.
            location: the place of the protect's data.
            stored: the directory's item.
            purpose: what for.
            read: makes the function that reads the archive, of the agent's notes on it.

        Raises:
            ReadInProgress: it has not been read to its end yet: ask again.
            ArchiveNotRead: it cannot be read from here.
        """
        try:
            with self._open_reader(storage, location) as reader:
                look = ContainerInspection(reader, storage.kind, location, self._readings)
                return look.read_directory(stored, purpose, read)
        except StorageUnreachable as error:
            raise ArchiveNotRead(str(error)) from None

    def archive_progress(self, container: str) -> ReadProgress | None:
        """Return how far an archive in a container is read, None where none is being read."""
        return self._readings.get_progress(Path(container))

    def _inspect_items(
        self, storage: Storage, location: BackupLocation, items: Sequence[StoredItem]
    ) -> Sequence[Measurement]:
        if not items:
            return ()
        try:
            with self._open_reader(storage, location) as reader:
                look = ContainerInspection(reader, storage.kind, location, self._readings)
                return [look.inspect_item(stored) for stored in items]
        except StorageUnreachable as error:
            return [Measurement(reason=str(error))] * len(items)

    def _open_reader(
        self, storage: Storage, location: BackupLocation
    ) -> AbstractContextManager[StorageReader]:
        match storage.kind:
            case StorageKind.LOCAL:
                return local.open_reader(location)
            case StorageKind.SWIFT:
                return swift.open_reader(self._services, location)
            case StorageKind.SSH:
                return ssh.open_reader(storage, location, self._timeout)
            case StorageKind.S3:
                return s3.open_reader(storage, location, self._timeout)
            case StorageKind.FTP | StorageKind.FTPS:
                raise StorageUnreachable(f"what is stored on {storage.kind} is not looked at")
