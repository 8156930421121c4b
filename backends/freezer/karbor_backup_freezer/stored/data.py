"""Looks at the data of a protect, wherever it is."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from karbor_backup_freezer.cloud.services import CloudServices
from karbor_backup_freezer.config import DEFAULT_TIMEOUT, Configuration
from karbor_backup_freezer.native import NativeBackups
from karbor_backup_freezer.pieces import Mode, StoredPiece
from karbor_backup_freezer.storages import Kind, Storage
from karbor_backup_freezer.stored import local, s3, ssh, swift
from karbor_backup_freezer.stored.layout import Place
from karbor_backup_freezer.stored.measure import Look, Measured
from karbor_backup_freezer.stored.reader import OutOfReach, Reader
from karbor_backup_freezer.stored.readings import Readings, ReadProgress


class StoredData:
    """The data of protects, in the storages and in Cinder.

    Args:
        configuration: for how long a request may take.
        services: the way to Swift and Cinder.
    """

    def __init__(self, configuration: Configuration, services: CloudServices) -> None:
        self._timeout = configuration.timeout or DEFAULT_TIMEOUT
        self._services = services
        self._natives = NativeBackups(services)
        self._readings = Readings()

    def measure(
        self, storage: Storage, place: Place, pieces: Sequence[StoredPiece]
    ) -> tuple[Measured, ...]:
        """Look at the pieces of one protect; the answers are in the same order.

        The storage is visited once, and not at all where Cinder itself keeps all of the pieces.

        Raises:
            StillReading: a directory's archive has not been read to its end yet: ask again.
            InvalidInput: a secret's reference leads nowhere.
            Transient: the storage or Cinder cannot be asked now.
            BackendError: Cinder refuses to tell.
        """
        mine = [stored for stored in pieces if stored.piece.mode is Mode.NATIVE]
        states = self._natives.states({stored.native for stored in mine})
        others = iter(self._stored(storage, place, [p for p in pieces if p not in mine]))
        return tuple(
            Measured(native=states[stored.native])
            if stored.piece.mode is Mode.NATIVE
            else next(others)
            for stored in pieces
        )

    def unread(self, container: str) -> ReadProgress | None:
        """Return how far an archive in a container is read, None where none is being read."""
        return self._readings.progress(Path(container))

    def _stored(
        self, storage: Storage, place: Place, pieces: Sequence[StoredPiece]
    ) -> Sequence[Measured]:
        if not pieces:
            return ()
        try:
            with self._reading(storage, place) as reader:
                look = Look(reader, storage.kind, place, self._readings)
                return [look.at(stored) for stored in pieces]
        except OutOfReach as error:
            return [Measured(reason=str(error))] * len(pieces)

    def _reading(self, storage: Storage, place: Place) -> AbstractContextManager[Reader]:
        match storage.kind:
            case Kind.LOCAL:
                return local.reading(place)
            case Kind.SWIFT:
                return swift.reading(self._services, place)
            case Kind.SSH:
                return ssh.reading(storage, place, self._timeout)
            case Kind.S3:
                return s3.reading(storage, place, self._timeout)
            case Kind.FTP | Kind.FTPS:
                raise OutOfReach(f"what is stored on {storage.kind} is not looked at")
