"""The JSON forms of the handle of a backup and the receipt of a restore.

Both have a version, so that a later release can read them and an earlier one refuses them.
"""

import re
from pathlib import Path
from typing import Final

from karbor_backup_core import BackendError, Backup, InvalidInput, Json, check_path

_VERSION: Final = 1

_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")

HANDLE: Final[Json] = {"version": _VERSION}
"""The archive has the backup's id for a name: there is nothing else to note."""


def check_backup(backup: Backup) -> None:
    """Check that a backup is one that this release can have made: anybody may have written it.

    Raises:
        InvalidInput: its id is none, or its handle says more than this release writes.
        BackendError: another release has written the handle.
    """
    check_id(backup.id)
    _check_version(backup.handle, "handle")
    if backup.handle != HANDLE or type(backup.handle["version"]) is not int:
        raise InvalidInput(f"backup {backup.id}: its handle is damaged")


def check_id(identifier: str) -> None:
    """Check an id that becomes the name of a file.

    Raises:
        InvalidInput: it is none that karbor-backup makes.
    """
    if not _ID.fullmatch(identifier):
        raise InvalidInput(f"{identifier!r} is not the id of an operation or a backup")


def parse_directory(path: str) -> Path:
    """Return the directory of an id, which means the same whichever process reads it.

    Raises:
        InvalidInput: it is not absolute, not normalised, or cannot be a path.
    """
    if path == "/":
        raise InvalidInput(f"{path!r}: name a directory below it")
    return Path(check_path("directory", path))


def make_receipt(folder: Path) -> Json:
    """Note which directory a restore has made, whatever name it is given."""
    status = folder.stat()
    return {"version": _VERSION, "device": status.st_dev, "inode": status.st_ino}


def matches_receipt(noted: Json | None, folder: Path) -> bool:
    """Return whether what is found under a name is the directory in the receipt.

    Raises:
        BackendError: this release cannot read the receipt.
    """
    if noted is None or not folder.is_dir():
        return False
    _check_version(noted, "receipt")
    return make_receipt(folder) == noted


def _check_version(noted: Json, what: str) -> None:
    if noted.get("version") != _VERSION:
        raise BackendError(
            f"a {what} of version {noted.get('version')!r}: this release of the tar backend reads "
            f"version {_VERSION} only; use the release that wrote it"
        )
