"""Paths that a user names and somebody else's rights open."""

import os
from collections.abc import Collection

from karbor_backup_core._errors import InvalidInput
from karbor_backup_core.files import find_name_fault


def check_path(what: str, path: str) -> str:
    """Return an absolute path that means the same to whoever reads it.

    Args:
        what: what the path is, for the text of an error, such as ``directory``.
        path: as a user gave it.

    Raises:
        InvalidInput: it is relative, not normalised, or cannot be a path.
    """
    if not path.startswith("/"):
        raise InvalidInput(f"{what} {path!r}: give an absolute path")
    if (fault := find_name_fault(path)) is not None:
        raise InvalidInput(f"{what}: {fault}")
    # POSIX lets two slashes at the beginning mean something else, and normpath keeps them.
    if path.startswith("//") or os.path.normpath(path) != path:
        raise InvalidInput(
            f"{what} {path!r}: give the path without '.', '..', doubled slashes or one at its "
            f"end, such as {os.path.normpath('/' + path.lstrip('/'))!r}"
        )
    return path


def is_allowed_path(path: str, allowed: Collection[str]) -> bool:
    """Return whether a path is one of the allowed directories or below one, links resolved.

    Symbolic links are resolved where this process runs, which sees those of another host only where
    both share the file system. So the path has to be allowed as it is written, too.

    Args:
        path: as ``check_path`` returned it.
        allowed: paths as ``check_path`` returned them.
    """
    resolved = [os.path.realpath(each) for each in allowed]
    return _is_below(path, allowed) and _is_below(os.path.realpath(path), resolved)


def _is_below(path: str, tops: Collection[str]) -> bool:
    return any(os.path.commonpath((path, top)) == top for top in tops)
