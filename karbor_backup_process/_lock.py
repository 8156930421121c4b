"""A lock that belongs to an open file, so that every process that inherits the file holds it.

These are Linux's open file description locks (``fcntl_locking(2)``). Unlike ``flock`` they can be
looked at without being taken: a poll never stands in the way of a process that claims a job.
"""

import errno
import fcntl
import os
import struct
from pathlib import Path
from typing import Final

_FLOCK: Final = "hhqqi4x"
"""``struct flock``: type, whence, start, length, process id."""

_WHOLE_FILE: Final = (os.SEEK_SET, 0, 0, 0)


def try_lock(descriptor: int) -> bool:
    """Take the lock until the last descriptor of this open file is closed, if nobody has it.

    Raises:
        OSError: the file system has no locks.
    """
    try:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, _request(fcntl.F_WRLCK))
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return False
        raise
    return True


def is_locked(path: Path) -> bool:
    """Return whether a process holds the lock on a file; false where there is no such file.

    Raises:
        OSError: the file cannot be read, or its file system has no locks.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        found = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, _request(fcntl.F_WRLCK))
    finally:
        os.close(descriptor)
    kind, *_ = struct.unpack(_FLOCK, found)
    return bool(kind != fcntl.F_UNLCK)


def is_same_file(descriptor: int, path: Path) -> bool:
    """Return whether a path still leads to an open file."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _request(kind: int) -> bytes:
    return struct.pack(_FLOCK, kind, *_WHOLE_FILE)
