"""Who else may read what a ``local`` storage holds."""

import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from karbor_backup_freezer.directories.mounts import printable_path
from karbor_backup_freezer.model.storages import Storage, StorageKind

_OTHERS: Final = stat.S_IROTH | stat.S_IXOTH | stat.S_IWOTH


def describe_open_folders(storages: Iterable[Storage]) -> Iterator[str]:
    """Yield how to mend each folder of a ``local`` storage that others may enter.

    The agent stores archives that its umask lets others read, whatever the modes of the files in
    them, so that the folder has to keep others out. What this process may not see is passed over,
    and so is the access that folders above it refuse.
    """
    for storage in storages:
        if storage.kind is not StorageKind.LOCAL:
            continue
        path = str(storage.options.get("path", ""))
        try:
            mode = Path(path).stat().st_mode
        except OSError:
            continue
        if mode & _OTHERS:
            yield (
                f"the folder of storage {storage.name!r}, {printable_path(path)}, has mode "
                f"{stat.S_IMODE(mode):04o}: others may get at the backups in it, also of files "
                f"that they may not read: chmod o-rwx {printable_path(path)}"
            )
