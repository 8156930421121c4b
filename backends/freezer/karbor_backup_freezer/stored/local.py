"""Looks at a storage of kind ``local``, where it is on this host."""

import contextlib
import os
import socket
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import attrs

from karbor_backup_freezer.stored.layout import Place
from karbor_backup_freezer.stored.reader import NOTES_LIMIT, OutOfReach, Reader, parse_notes


@contextlib.contextmanager
def reading(place: Place) -> Iterator[Reader]:
    """Open a protect's folder.

    Raises:
        OutOfReach: it is on another host, or this process may not read it.
    """
    folder = Path(place.container)
    try:
        # A folder of every backup that is not there is not mounted here, or of another host.
        if not folder.parent.is_dir() or (not folder.is_dir() and not _is_here(place.hostname)):
            raise OutOfReach(
                f"the data is in {folder} on host {place.hostname!r}, which cannot be seen here "
                f"on host {socket.gethostname()!r}"
            )
        yield _Folder(folder)
    except OSError as error:
        reason = f"{error.filename or folder} cannot be read here: {error.strerror}"
        raise OutOfReach(reason) from error


def _is_here(hostname: str) -> bool:
    return hostname == socket.gethostname()


@attrs.frozen
class _Folder:
    folder: Path

    def sizes(self) -> Mapping[str, int]:
        return {
            str(path.relative_to(self.folder)): path.lstat().st_size
            for root, _, names in os.walk(self.folder, onerror=_refuse)
            for path in (Path(root, name) for name in names)
        }

    def notes(self, path: str) -> Any:
        # Neither a link nor a pipe nor a device that somebody has put there is followed or read.
        with open_file(self.folder / path) as file:
            return parse_notes(file.read(NOTES_LIMIT + 1))


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


def _refuse(error: OSError) -> None:
    """Tell of a folder that cannot be read; ``os.walk`` leaves it out otherwise."""
    if not isinstance(error, FileNotFoundError):
        raise error
