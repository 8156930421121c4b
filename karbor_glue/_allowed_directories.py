"""Which directories of a host the users of a provider may have protected and restored.

A plan names a directory by a path that its author chose, while it is read and written with the
operator's rights: without a list of the operator's, every tenant could read every file.
"""

from collections.abc import Collection
from typing import Final

from karbor_backup_core import InvalidInput, Resource, check_path, is_allowed_path

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
    check_path("directory", path)
    if not allowed:
        raise InvalidInput(
            f"directory {path!r}: this provider protects no directories; its operator can allow "
            "some with the option 'directories' in the provider's file"
        )
    if not is_allowed_path(path, allowed):
        raise InvalidInput(
            f"directory {path!r} is not among those that this provider's operator has allowed "
            "with the option 'directories' in the provider's file"
        )


def is_path_resource(resource: Resource) -> bool:
    """Return whether a resource's id is a path on some host."""
    return resource.type.endswith("::Directory") or "/" in resource.id
