"""The backend's own notes: the handle of a backup, and the receipt of a restore.

Both carry a version, so that a later release can read what an earlier one wrote, and an earlier
one says that it cannot.
"""

from pathlib import Path
from typing import Final

from karbor_backup_core import BackendError, Json

_VERSION: Final = 1

HANDLE: Final[Json] = {"version": _VERSION}
"""The archive has the backup's id for a name: there is nothing else to note."""


def check_handle(handle: Json) -> None:
    """Let a handle pass that this release can read.

    Raises:
        BackendError: it cannot.
    """
    _check(handle, "handle")


def receipt(made: Path) -> Json:
    """Note which directory a restore has made, whatever name it is given."""
    status = made.stat()
    return {"version": _VERSION, "device": status.st_dev, "inode": status.st_ino}


def is_noted(noted: Json | None, found: Path) -> bool:
    """Say whether what is found under a name is the directory in the receipt.

    Raises:
        BackendError: this release cannot read the receipt.
    """
    if noted is None or not found.is_dir():
        return False
    _check(noted, "receipt")
    return receipt(found) == noted


def _check(noted: Json, what: str) -> None:
    if noted.get("version") != _VERSION:
        raise BackendError(
            f"a {what} of version {noted.get('version')!r}: this release of the tar backend reads "
            f"version {_VERSION} only; use the release that wrote it"
        )
