"""Which directories of a host the users of a provider may have protected and restored.

A plan names a directory by a path that its author chose, while it is read and written with the
operator's rights: without a list of the operator's, every tenant could read every file.
"""

import os
from collections.abc import Collection
from typing import Final

from karbor_backup_core import InvalidInput, Resource

PATH_OPTIONS: Final = ("restore_path",)
"""Options by which a backend is told of a path on a host."""


def check_directory(path: str, allowed: Collection[str]) -> None:
    """Refuse a path that is not one of the allowed directories, nor below one.

    Symbolic links are resolved where this process runs, which sees those of the backup service's
    host only where both share the file system.

    Args:
        path: as a user gave it.
        allowed: absolute paths, of the provider's file.

    Raises:
        InvalidInput: the path may not be used; the text names no path but the user's own.
    """
    if not path.startswith("/") or path.startswith("//") or os.path.normpath(path) != path:
        raise InvalidInput(f"directory {path!r}: give an absolute path without '.', '..' and '//'")
    if not allowed:
        raise InvalidInput(
            f"directory {path!r}: this provider protects no directories; its operator can allow "
            "some with the option 'directories' in the provider's file"
        )
    if not (_is_below(path, allowed) and _is_below(os.path.realpath(path), _resolved(allowed))):
        raise InvalidInput(
            f"directory {path!r} is not among those that this provider's operator has allowed "
            "with the option 'directories' in the provider's file"
        )


def names_path(resource: Resource) -> bool:
    """Return whether a resource's id is a path on some host."""
    return resource.type.endswith("::Directory") or "/" in resource.id


def _is_below(path: str, tops: Collection[str]) -> bool:
    return any(os.path.commonpath((path, top)) == top for top in tops)


def _resolved(paths: Collection[str]) -> list[str]:
    return [os.path.realpath(path) for path in paths]
