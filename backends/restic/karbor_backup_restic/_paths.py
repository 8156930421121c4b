"""The paths of a user: what may be protected, and what may be restored to."""

import os
import re
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import attrs
import psutil

from karbor_backup_core import InvalidInput, Operation, Resource, check_path
from karbor_backup_restic._abilities import DIRECTORY, OUTPUT
from karbor_backup_restic._commands import NAME_PATTERN

_NAME_LIMIT: Final = 255
"""Bytes of the longest name of a file on Linux (``NAME_MAX``)."""


@attrs.frozen
class OwnPaths:
    """Paths that a protect must not read and a restore must not touch.

    Attributes:
        repository: of a local repository.
        jobs: the directory of the jobs.
    """

    repository: str | None
    jobs: str

    def check_source(self, path: str, exclude: Sequence[str]) -> None:
        """Refuse to store a repository in itself.

        Raises:
            InvalidInput: the repository lies in the directory, and is not excluded.
        """
        if self.repository is None or self.repository in exclude:
            return
        if _is_within(self.repository, path) or _is_within(path, self.repository):
            raise InvalidInput(
                f"{path}: the repository {self.repository} would be stored in itself: exclude it, "
                "or protect another directory"
            )

    def check_target(self, target: str) -> None:
        """Refuse to restore into the repository or the jobs.

        Raises:
            InvalidInput: the target lies in one of them.
        """
        for own in (self.repository, self.jobs):
            if own is not None and _is_within(target, own):
                raise InvalidInput(f"{target} lies in {own}, which the backend uses itself")

    def check_replaced(self, target: str, own_paths: Iterable[str]) -> None:
        """Refuse to replace a directory that holds what is needed.

        Raises:
            InvalidInput: it holds the repository, the jobs, or a file of the calling program.
        """
        for own in (self.repository, self.jobs, *own_paths):
            if own is not None and _is_within(own, target):
                raise InvalidInput(f"{target} is not replaced: it holds {own}, which is in use")


def parse_path(path: str) -> str:
    """Return a path that means the same to whoever reads it.

    Raises:
        InvalidInput: it is not absolute, not normalised, the root, or cannot be a path.
    """
    if path == "/":
        raise InvalidInput(f"{path!r}: name a directory or file below it")
    return check_path("path", path)


def check_source(resource: Resource) -> None:
    """Check that a resource is there to be protected.

    Raises:
        InvalidInput: it is not there, of another type, or a symbolic link.
    """
    path = Path(resource.id)
    try:
        mode = path.lstat().st_mode
    except OSError as error:
        raise InvalidInput(f"{path} cannot be protected: {error.strerror}") from error
    if stat.S_ISLNK(mode):
        raise InvalidInput(
            f"{path} is a symbolic link, of which nothing but the link would be stored: protect "
            f"{os.path.realpath(path)}"
        )
    expected = stat.S_ISDIR if resource.type == DIRECTORY else stat.S_ISREG
    if not expected(mode):
        kind = "directory" if resource.type == DIRECTORY else "regular file"
        raise InvalidInput(f"{path} is not a {kind}, and cannot be protected as {resource.type}")


def check_id(resource: Resource) -> None:
    """Check that the id of a resource can be one.

    Raises:
        InvalidInput: it is no path, or no name of a command.
    """
    if resource.type != OUTPUT:
        parse_path(resource.id)
    elif not re.fullmatch(NAME_PATTERN, resource.id):
        raise InvalidInput(f"{resource.id!r:.120} cannot be the name of a command")


def check_name(path: str) -> str:
    """Return the path that a restore is to make.

    Raises:
        InvalidInput: it cannot be one.
    """
    target = parse_path(path)
    if len(os.fsencode(Path(target).name)) > _NAME_LIMIT:
        raise InvalidInput(f"{target}: the name is longer than {_NAME_LIMIT} bytes: give a path")
    return target


def check_target(
    operation: Operation, target: str, own: OwnPaths, own_paths: Sequence[str]
) -> None:
    """Check that a restore can put its data where it is to go, and destroys nothing unasked.

    Raises:
        InvalidInput: it cannot, with the remedy.
    """
    parent = Path(target).parent
    if not parent.is_dir():
        raise InvalidInput(f"{target}: there is no directory {parent}: make it, or name another")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise InvalidInput(f"{target}: {parent} cannot be written to")
    own.check_target(target)
    if is_free(target, operation.resource):
        return
    if not operation.options.get("replace"):
        raise InvalidInput(
            f"{target} is there already: restore to another path, or say that it is to be "
            "replaced (replace=true)"
        )
    _check_replaceable(target, operation.resource)
    own.check_replaced(target, own_paths)


def is_free(target: str, resource: Resource) -> bool:
    """Return whether a restore may make a path without losing anything."""
    if not os.path.lexists(target):
        return True
    path = Path(target)
    real = resource.type == DIRECTORY and path.is_dir() and not path.is_symlink()
    return real and not path.is_mount() and not any(path.iterdir())


def mounts_below(path: str) -> list[str]:
    """Return the mount points at or below a path; what they hold is never removed."""
    mounted = (each.mountpoint for each in psutil.disk_partitions(all=True))
    return sorted(point for point in mounted if _is_within(point, path))


def _check_replaceable(target: str, resource: Resource) -> None:
    path = Path(target)
    if path.is_symlink():
        raise InvalidInput(
            f"{target} is a symbolic link: name {os.path.realpath(target)} to have that replaced"
        )
    matches = path.is_dir() if resource.type == DIRECTORY else path.is_file()
    if not matches:
        raise InvalidInput(f"{target} is of another kind than {resource.type}: it is not replaced")
    if mounted := mounts_below(target):
        raise InvalidInput(
            f"{target} is not replaced: a file system is mounted at {mounted[0]}; restore to "
            "another path"
        )


def _is_within(path: str, top: str) -> bool:
    """Return whether a path is another or lies below it, links resolved."""
    real, real_top = os.path.realpath(path), os.path.realpath(top)
    return os.path.commonpath((real, real_top)) == real_top
