"""The file of an SQLite store: its path, its checks and its creation."""

import os
import re
import stat
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from karbor_backup_core._errors import InvalidInput, StoreError, StoreNotFound
from karbor_backup_core.stores._sql.filesystems import network_filesystem_type

_HEADER: Final = b"SQLite format 3\x00"
"""How each SQLite database begins (https://sqlite.org/fileformat2.html)."""

_VARIABLE_PATTERN: Final = re.compile(r"\$\{?[A-Za-z_]|%[A-Za-z_]+%")
_URL_HINT: Final = "write sqlite:////absolute/path/to/file"
_FILE_MODE: Final = 0o600
_FOLDER_MODE: Final = 0o700


def path_from_url(url: sa.URL) -> Path:
    """Return the absolute path of the file that a URL names; ``~`` stands for a home directory.

    Raises:
        InvalidInput: the URL names no plain file, or has other parameters.
    """
    if url.host or url.username or url.password or url.port:
        raise InvalidInput(f"the store's URL names a host, and SQLite has none: {_URL_HINT}")
    name = url.database or ""
    if not name or name.startswith((":memory:", "file:")):
        raise InvalidInput(
            f"the store's URL names no plain file: {_URL_HINT}; "
            "for a store in memory use MemoryStore"
        )
    if url.query:
        # With "uri" SQLite would interpret the file's name differently, and use another file.
        raise InvalidInput(
            f"the store's URL has options after '?' ({', '.join(url.query)}), and SQLite's takes "
            "none: remove them"
        )
    if "\0" in name:
        raise InvalidInput(f"the store's URL holds a NUL character: {_URL_HINT}")
    if _VARIABLE_PATTERN.search(name):
        raise InvalidInput(
            f"the store {name}: variables are not replaced in a URL: write the path out, or keep "
            "the URL in a variable and write url = {env = ...}"
        )
    return Path(os.path.abspath(_expand_home(name)))  # noqa: PTH100 - links in it stay as they are


def _expand_home(name: str) -> Path:
    path = Path(name)
    if len(path.parts) > 1 and path.parts[0] == os.sep and path.parts[1].startswith("~"):
        raise InvalidInput(f"the store {name}: for a home directory write sqlite:///~/path/to/file")
    try:
        return path.expanduser()
    except RuntimeError:
        raise InvalidInput(
            f"the store {name}: {path.parts[0]} is no home directory that is known here: write "
            "the path out"
        ) from None


def check_local_filesystem(path: Path) -> None:
    """Refuse a path on a file system that machines may share.

    Raises:
        InvalidInput: the path lies on such a file system.
    """
    kind = network_filesystem_type(path)
    if kind:
        raise InvalidInput(
            f"the store {path} lies on a file system of the kind {kind}, which several machines "
            "may share, and SQLite's files are damaged there: give the store a URL with a path on "
            "a local disk, or a PostgreSQL; to run that risk all the same, see "
            "risk_corruption_on_network_filesystem in docs/how-to/choose-a-store.md"
        )


def database_exists(path: Path, *, plain: bool = True) -> bool:
    """Return whether there is a database at a path; an empty file is none yet.

    Args:
        path: of the file.
        plain: whether the file must have SQLite's header, which an encrypted database lacks.

    Raises:
        StoreError: the file is no database, or cannot be read.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            what = "a directory" if stat.S_ISDIR(status.st_mode) else "no regular file"
            raise StoreError(f"the store {path} cannot be opened: it is {what}: name a file")
        with path.open("rb") as file:
            header = file.read(len(_HEADER))
    except FileNotFoundError:
        return False
    except OSError as error:
        raise StoreError(f"the store {path} cannot be opened: {error.strerror}") from None
    if header and plain and header != _HEADER:
        raise StoreError(
            f"the store {path} cannot be opened: it is not a database of SQLite's: look at the "
            "store's URL"
        )
    return bool(header)


def missing_store_error(path: Path) -> StoreNotFound:
    """Create the error for a store that does not exist."""
    return StoreNotFound(
        f"there is no store at {path} yet: the first protect makes it; if there should be one, "
        "look at the store's URL in the configuration"
    )


def create_private_file(path: Path) -> None:
    """Create the file, if it is missing, and its folders, for the owner only.

    SQLite gives its own files beside it the same permissions.

    Raises:
        StoreError: it cannot be created.
    """
    try:
        _create_folders(path.parent)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, _FILE_MODE)
        except FileExistsError:
            # A dangling link counts as existing, and its target is created through it.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, _FILE_MODE))
            return
        try:
            os.fchmod(descriptor, _FILE_MODE)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise StoreError(f"the store {path} cannot be opened: {error.strerror}") from error


def _create_folders(folder: Path) -> None:
    """Create a folder and its parents; ``Path.mkdir`` would apply the umask to the parents."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=_FOLDER_MODE, exist_ok=True)
