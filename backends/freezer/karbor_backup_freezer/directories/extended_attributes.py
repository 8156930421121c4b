"""Extended attributes, ACLs and capabilities in a directory, which the agent's tar does not store.

Seen with freezer-agent 19.0.0: its tar runs without ``--acls`` and ``--xattrs``.
"""

import errno
import os
import time
from collections.abc import Callable, Iterator
from typing import Final

from karbor_backup_core import Check
from karbor_backup_freezer.directories.mounts import printable_path
from karbor_backup_freezer.inspection.contents import format_counted

MAX_NAMES: Final = 20
"""Names that the check tells; what is beyond is counted."""

TIME_LIMIT: Final = 30.0
"""How long a directory is looked through for."""

_LABEL: Final = "security.selinux"
"""On a host with SELinux every file has it, and the policy sets it anew."""

_IGNORED_ERRORS: Final = frozenset({errno.ENOTSUP, errno.ENOENT, errno.ENOTDIR})
"""A file system without attributes, and what went away meanwhile."""


def check_lost_attributes(
    folder: str, seconds: float = TIME_LIMIT, clock: Callable[[], float] = time.monotonic
) -> Check | None:
    """Return a check that names what has attributes that the backup will not have, None if nothing.

    Args:
        folder: the directory on this host; mounts in it are not entered.
        seconds: how long this may take.
        clock: tells seconds.
    """
    until = clock() + seconds
    named: list[str] = []
    count = unseen = 0
    late = ""
    for path in _iter_paths(folder, os.lstat(folder).st_dev):
        if clock() > until:
            late = f"; looked at for {seconds:g} s only"
            break
        try:
            found = [name for name in os.listxattr(path, follow_symlinks=False) if name != _LABEL]
        except OSError as error:
            unseen += error.errno not in _IGNORED_ERRORS
            continue
        if found:
            count += 1
            if len(named) < MAX_NAMES:
                named.append(
                    f"{printable_path(os.path.relpath(path, folder))} ({', '.join(found)})"
                )
    if not (count or unseen or late):
        return None
    lost = f"lost in the backup: {format_counted(named, count)}" if count else "none was seen"
    hidden = f"; {unseen} could not be looked at" if unseen else ""
    return Check("extended attributes", verified=False, reason=f"{lost}{hidden}{late}")


def _iter_paths(folder: str, device: int) -> Iterator[str]:
    """Yield a folder and all in it on its own file system; memory grows with its depth."""
    yield folder
    try:
        entries = os.scandir(folder)
    except OSError:
        return
    with entries:
        for entry in entries:
            try:
                inner = entry.is_dir(follow_symlinks=False)
                here = not inner or entry.stat(follow_symlinks=False).st_dev == device
            except OSError:
                continue
            if inner and here:
                yield from _iter_paths(entry.path, device)
            elif here:
                yield entry.path
