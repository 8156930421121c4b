"""Looks at a storage of kind ``local``, where it is on this host."""

import contextlib
import os
import socket
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import attrs

from karbor_backup_freezer.inspection.layout import BackupLocation
from karbor_backup_freezer.inspection.reader import (
    METADATA_LIMIT,
    StorageReader,
    StorageUnreachable,
    parse_metadata,
)


@contextlib.contextmanager
def open_reader(location: BackupLocation) -> Iterator[StorageReader]:
    """Open a protect's folder.

    Raises:
        StorageUnreachable: it is on another host, or this process may not read it.
    """
    folder = Path(location.container)
    try:
        # A folder of every backup that is not there is not mounted here, or of another host.
        if not folder.parent.is_dir() or (not folder.is_dir() and not _is_here(location.hostname)):
            raise StorageUnreachable(
                f"the data is in {folder} on host {location.hostname!r}, which cannot be seen here "
                f"on host {socket.gethostname()!r}"
            )
        yield _LocalFolder(folder)
    except OSError as error:
        reason = f"{error.filename or folder} cannot be read here: {error.strerror}"
        raise StorageUnreachable(reason) from error


def _is_here(hostname: str) -> bool:
    return hostname == socket.gethostname()


@attrs.frozen
class _LocalFolder:
    folder: Path

    def list_sizes(self) -> Mapping[str, int]:
        return {
            str(path.relative_to(self.folder)): path.lstat().st_size
            for root, _, names in os.walk(self.folder, onerror=_raise_unless_missing)
            for path in (Path(root, name) for name in names)
        }

    def read_metadata(self, path: str) -> Any:
        # Neither a link nor a pipe nor a device that somebody has put there is followed or read.
        with open_file(self.folder / path) as file:
            return parse_metadata(file.read(METADATA_LIMIT + 1))


def open_file(path: Path) -> IO[bytes]:
    """Open a stored file: no link, pipe or device that somebody has put there.

    Raises:
        ValueError: it is no file.
        OSError: it cannot be opened.
    """
    opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    file = os.fdopen(opened, "rb")
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        file.close()
        raise ValueError(f"{path} is no file")
    return file


def _raise_unless_missing(error: OSError) -> None:
    """Tell of a folder that cannot be read; ``os.walk`` leaves it out otherwise."""
    if not isinstance(error, FileNotFoundError):
        raise error
